// A service that is not Mayfly: publishes to its topics by Pub/Sub's REST interface, and deletes them if need be.

const PROJECT = 'mayfly-dev';

/** Publishes to the cluster's topic of that name, say `jobs-echo` or `events`, past all proxies; resolves to the message ids. */
export async function publish(cluster, topic, messages) {
  const body = { messages: messages.map(({ attributes, data = '' }) => ({ attributes, data: Buffer.from(data).toString('base64') })) };
  const answer = await request(cluster, 'POST', `topics/${cluster.prefix}${topic}:publish`, body);
  return answer.messageIds;
}

/** The names of the cluster's `topics` or `subscriptions`, with its prefix. */
export async function list(cluster, what) {
  const { [what]: found = [] } = await request(cluster, 'GET', `${what}?pageSize=1000`);
  return found.map(({ name }) => name.split('/').at(-1)).filter((name) => name.startsWith(cluster.prefix));
}

/** What there is, in words that change with whatever changes: topics, and subscriptions with the topics that they read. */
export async function inventory(cluster) {
  const { subscriptions = [] } = await request(cluster, 'GET', 'subscriptions?pageSize=1000');
  const ours = subscriptions.filter(({ name }) => name.split('/').at(-1).startsWith(cluster.prefix));
  return [...(await list(cluster, 'topics')), ...ours.map(({ name, topic }) => `${name} of ${topic}`)].sort().join('\n');
}

/** Deletes one of the `topics` or `subscriptions`, whoever may be using it. */
export function remove(cluster, what, name) {
  return request(cluster, 'DELETE', `${what}/${name}`);
}

async function request(cluster, method, path, body) {
  const url = `http://${cluster.pubsub.address}/v1/projects/${PROJECT}/${path}`;
  const answer = await fetch(url, { method, body: body && JSON.stringify(body), headers: { 'content-type': 'application/json' } });
  if (!answer.ok) throw new Error(`${method} ${path} was answered ${answer.status}: ${await answer.text()}`);
  return answer.json();
}

// What outlives a reload: the session's token and one short record per job, in localStorage.
// One key per job, so that two tabs of the same session do not overwrite each other's jobs.

const SESSION = 'mayfly.session';
const JOB = 'mayfly.job.';

/** Private windows and full disks make storage throw; the page then simply forgets when it closes. */
function attempt(action, otherwise) {
  try {
    return action();
  } catch {
    return otherwise;
  }
}

const read = (key) => attempt(() => JSON.parse(localStorage.getItem(key)), null);
const write = (key, value) => attempt(() => localStorage.setItem(key, JSON.stringify(value)));
const remove = (key) => attempt(() => localStorage.removeItem(key));
const keys = () => attempt(() => Object.keys(localStorage), []);

export const loadSession = () => read(SESSION);
export const saveSession = (session) => write(SESSION, session);
export const forgetSession = () => remove(SESSION);

export const saveJob = (record) => write(JOB + record.id, record);
export const hasJob = (id) => read(JOB + id) !== null;
export const forgetJob = (id) => remove(JOB + id);

export function loadJobs() {
  const records = keys().filter((key) => key.startsWith(JOB)).map(read);
  return records.filter((record) => record?.id && record.kind).sort((a, b) => a.submittedAt - b.submittedAt);
}

/** Calls `onSaved` with each record that another tab of this session writes, `onForgotten` with the id of each it removes. */
export function watchOtherTabs(onSaved, onForgotten) {
  addEventListener('storage', ({ key, newValue }) => {
    if (!key?.startsWith(JOB)) return;
    const record = attempt(() => JSON.parse(newValue), null);
    if (record?.id) onSaved(record);
    else onForgotten(key.slice(JOB.length));
  });
}

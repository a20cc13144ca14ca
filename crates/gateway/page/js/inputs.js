// The payloads of jobs, kept in IndexedDB: a job can be offered again, or retried, after a reload too.
// Pictures are far too large for localStorage. Where IndexedDB is refused, payloads live as long as the page.

const STORE = 'inputs';
const inMemory = new Map();

let opening;

function open() {
  opening ??= new Promise((resolve) => {
    try {
      const request = indexedDB.open('mayfly', 1);
      request.onupgradeneeded = () => request.result.createObjectStore(STORE);
      request.onsuccess = () => resolve(request.result);
      request.onerror = request.onblocked = () => resolve(null);
    } catch {
      resolve(null);
    }
  });
  return opening;
}

async function transact(mode, action) {
  const database = await open();
  if (!database) return undefined;
  return new Promise((resolve) => {
    try {
      const transaction = database.transaction(STORE, mode);
      const request = action(transaction.objectStore(STORE));
      transaction.oncomplete = () => resolve(request.result);
      transaction.onerror = transaction.onabort = () => resolve(undefined);
    } catch {
      resolve(undefined);
    }
  });
}

/** Never rejects: a payload that could not be stored is still in memory. */
export function keep(id, payload) {
  inMemory.set(id, payload);
  return transact('readwrite', (store) => store.put(payload, id));
}

/** The payload, or undefined when it is gone. */
export async function fetchInput(id) {
  return inMemory.get(id) ?? transact('readonly', (store) => store.get(id));
}

export function drop(id) {
  inMemory.delete(id);
  return transact('readwrite', (store) => store.delete(id));
}

/** Forgets the payloads of jobs that are no longer listed, for instance because their tab was closed too early. */
export async function dropUnless(isListed) {
  const stored = (await transact('readonly', (store) => store.getAllKeys())) ?? [];
  await Promise.all(stored.filter((id) => !isListed(id)).map(drop));
}

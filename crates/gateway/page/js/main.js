// The page: one connection, one store of jobs, and the parts that show them.

import { Connection } from './connection.js';
import { byId, say } from './dom.js';
import { Echo } from './echo.js';
import { JobList } from './job-list.js';
import { Jobs } from './jobs.js';
import { showStatus } from './status.js';
import { Thumbnails } from './thumbnails.js';

if (globalThis.io) {
  const connection = new Connection(globalThis.io);
  const jobs = new Jobs(connection);
  showStatus(connection, jobs);
  new Thumbnails(connection, jobs);
  new Echo(jobs);
  new JobList(connection, jobs);
  connection.open();
} else {
  byId('vital-connection').dataset.tone = 'bad';
  say(byId('connection-text'), 'No socket.io client');
  say(byId('connection-note'), 'The script that connects this page could not be loaded. Reload the page to try again');
}

// Starting and ending the servers, each on a free port of its own.
import { once } from 'node:events';
import { createInterface } from 'node:readline';
import { setTimeout as wait } from 'node:timers/promises';
import { isRunning, run } from './processes.mjs';
import { SECRET } from './workloads.mjs';

const START_MS = 20_000;

// `server` has a name, a kind (graphql or rest) and a command; gives it with its origin and its process' id.
export async function start(server, database, folder) {
  const child = run(server.command[0], server.command.slice(1), {
    cwd: folder,
    env: {
      DATABASE_URL: database.url,
      NODE_ENV: 'production',
      PATH: process.env.PATH,
      TASKQL_JWT_SECRET: SECRET,
      TASKQL_LISTEN: '127.0.0.1:0',
      // No limits and no line for a request. The one line that is wanted says the address.
      TASKQL_LOG: 'warn,taskql::cli=info',
      TASKQL_MAX_IN_FLIGHT: '4096',
      TASKQL_RATE_LIMIT: '0',
    },
    stdio: ['ignore', 'pipe', 'pipe'],
  });
  const ended = once(child, 'exit').then(([code]) => {
    throw new Error(`${server.name} ended with ${code}:\n${lines.join('\n')}`);
  });
  const late = wait(START_MS, undefined, { ref: false }).then(() => {
    throw new Error(`${server.name} does not say where it listens:\n${lines.join('\n')}`);
  });
  const lines = [];
  let isListening = false;
  const listening = new Promise((found) => {
    for (const stream of [child.stdout, child.stderr]) {
      createInterface({ input: stream }).on('line', (line) => {
        // What comes later is a warning that whoever measures should see.
        if (isListening && !line.includes(' INFO ')) console.error(`${server.name}: ${line}`);
        else lines.push(line);
        const address = line.match(/listening address=(\S+)/)?.[1];
        if (address) found(address);
      });
    }
  });
  // Whichever comes first; the others are nobody's business then.
  ended.catch(() => {});
  late.catch(() => {});
  const address = await Promise.race([listening, ended, late]);
  isListening = true;
  return { ...server, origin: `http://${address}`, pid: child.pid, child };
}

export async function stop(server) {
  if (!isRunning(server.child)) return;
  const ended = once(server.child, 'exit');
  server.child.kill('SIGTERM');
  const patience = setTimeout(() => server.child.kill('SIGKILL'), 5_000);
  await ended;
  clearTimeout(patience);
}

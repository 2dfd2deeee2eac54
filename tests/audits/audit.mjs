// Starts a server and runs graphql-http's audits against it: node audit.mjs PATH-OF-TASKQL
// Prints every audit that does not hold, and how many do of each level. Ends with 1 unless all of them hold.
import { spawn } from 'node:child_process';
import { createInterface } from 'node:readline';
import { serverAudits } from 'graphql-http';

const server = spawn(process.argv[2], ['serve'], {
  env: {
    DATABASE_URL: 'sqlite::memory:',
    TASKQL_JWT_SECRET: 'a secret of the audits, 32 bytes and more',
    TASKQL_LISTEN: '127.0.0.1:0',
  },
  stdio: ['ignore', 'ignore', 'pipe'],
});

async function address() {
  for await (const line of createInterface({ input: server.stderr })) {
    const found = line.match(/listening address=(\S+)/);
    if (found) return found[1];
  }
  throw new Error('the server did not start');
}

try {
  const url = `http://${await address()}/graphql`;
  // Nobody reads the log any more, and a full pipe would stop the server.
  server.stderr.resume();
  const levels = {};
  let failed = 0;
  const audits = serverAudits({ url, fetchFn: fetch });
  for (const audit of audits) {
    const result = await audit.fn();
    const level = audit.name.split(' ')[0];
    levels[level] ??= { ok: 0, all: 0 };
    levels[level].all += 1;
    if (result.status === 'ok') {
      levels[level].ok += 1;
    } else {
      failed += 1;
      console.error(`${result.status}: ${audit.name}: ${result.reason}`);
    }
  }
  const counts = Object.entries(levels).map(([level, { ok, all }]) => `${level} ${ok}/${all}`);
  console.log(`GraphQL over HTTP audits: ${audits.length - failed}/${audits.length} (${counts.join(', ')})`);
  process.exitCode = failed === 0 && audits.length >= 61 ? 0 : 1;
} finally {
  server.kill();
}

// Generates what the clients need from schema.graphql, checks all types, and runs the tests against a taskql:
//     npm ci --ignore-scripts && npm test -- PATH-OF-TASKQL [DATABASE_URL]
// from a folder two below the repository's root (a copy under target/, as scripts/test does it). Without a
// DATABASE_URL each test file has a SQLite file of its own; a PostgreSQL one is shared. Ends with 1 unless all holds.
import { spawnSync } from 'node:child_process';
import { mkdirSync, readdirSync } from 'node:fs';
import { resolve } from 'node:path';

const [binary, database = ''] = process.argv.slice(2);
if (!binary) {
  console.error('npm test -- PATH-OF-TASKQL [DATABASE_URL]');
  process.exit(2);
}

function run(name: string, program: string, ...args: string[]): void {
  const started = Date.now();
  const env = { ...process.env, TASKQL_BINARY: resolve(binary ?? ''), TASKQL_TEST_DATABASE: database };
  const { status, error } = spawnSync(program, args, { stdio: 'inherit', env });
  if (error) throw error;
  console.log(`-- ${name}: ${status === 0 ? 'ok' : 'FAILED'}, ${((Date.now() - started) / 1000).toFixed(1)} s`);
  if (status !== 0) process.exit(1);
}

const program = (name: string): string => `node_modules/.bin/${name}`;
run('GraphQL Code Generator', program('graphql-codegen'), '--config', 'codegen.ts', '--silent');
mkdirSync('generated/relay', { recursive: true });
run('Relay compiler', program('relay-compiler'), 'relay.config.json', '--output', 'quiet-with-errors');
run('gql.tada', program('gql.tada'), 'generate-output');
run('types', program('tsc'));
const tests = readdirSync('.').filter((name) => name.endsWith('.test.ts'));
const options = [
  '--test-reporter=spec',
  '--test-concurrency=4',
  // For a whole file. What hangs in one is given up sooner: see support/events.ts.
  '--test-timeout=80000',
  // Clients that would try to reconnect for ever must not outlive a test that failed.
  '--test-force-exit',
];
run(`${tests.length} files of tests`, process.execPath, '--import', 'tsx', '--test', ...options, ...tests);

// The benchmark: see scripts/bench, which builds the servers, starts PostgreSQL and runs this.
//   node main.mjs [full | quick | growth]
import { mkdirSync } from 'node:fs';
import os from 'node:os';
import { join } from 'node:path';
import { compare } from './compare.mjs';
import { Postgres } from './database.mjs';
import { growth } from './growth.mjs';
import { USERS_NEEDED } from './workloads.mjs';

const { env } = process;
const needed = (name) => env[name] || raise(`${name} is not set; run scripts/bench`);
const raise = (what) => {
  throw new Error(what);
};

const mode = process.argv[2] ?? 'full';
const number = (name, usual) => (env[name] ? Number(env[name]) : usual);
const taskql = needed('TASKQL_BENCH_BINARY');
const output = needed('TASKQL_BENCH_OUTPUT');
const scratch = needed('TASKQL_BENCH_SCRATCH');
mkdirSync(output, { recursive: true });

const rust = (name) => [join(needed('TASKQL_BENCH_SERVERS'), name)];
const mercurius = env.TASKQL_BENCH_MERCURIUS;
const servers = [
  { name: 'taskql', label: 'taskql', kind: 'graphql', command: [taskql, 'serve'] },
  { name: 'rest-sqlx', label: 'REST, axum + sqlx', kind: 'rest', command: rust('rest-sqlx') },
  {
    name: 'rest-tokio-postgres',
    label: 'REST, axum + tokio-postgres',
    kind: 'rest',
    command: rust('rest-tokio-postgres'),
  },
  ...(mercurius
    ? [{ name: 'mercurius', label: 'Mercurius with JIT', kind: 'graphql', command: ['node', mercurius] }]
    : []),
];

const postgres = new Postgres(needed('TASKQL_BENCH_DATABASE'), needed('TASKQL_BENCH_CLUSTER'));
const machine = {
  cpu: `${os.availableParallelism()} × ${os.cpus()[0].model}`,
  kernel: `Linux ${os.release()}`,
  postgres: await postgres.version(),
  node: `Node ${process.version.slice(1)}`,
  taskql: needed('TASKQL_BENCH_VERSION').trim(),
};

const isQuick = mode === 'quick';
const common = {
  taskql,
  servers,
  postgres,
  machine,
  output,
  scratch,
  rounds: number('TASKQL_BENCH_ROUNDS', isQuick ? 1 : 3),
  seconds: number('TASKQL_BENCH_SECONDS', isQuick ? 2 : 8),
  warmUpSeconds: isQuick ? 1 : 2,
};

await postgres.configure();
if (mode === 'growth') {
  const rows = (env.TASKQL_BENCH_ROWS ?? '10000,100000,1000000,10000000').split(',').map(Number);
  if (!rows.every((size) => size >= 10_000 && size % 10_000 === 0)) raise('TASKQL_BENCH_ROWS: multiples of 10000');
  await growth({ ...common, rows });
} else if (mode === 'full' || mode === 'quick') {
  await compare({ ...common, users: isQuick ? USERS_NEEDED : 1_000, tasksEach: number('TASKQL_BENCH_TASKS', 1_000) });
} else {
  raise(`'${mode}' is none of full, quick and growth`);
}

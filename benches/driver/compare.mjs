// taskql beside other servers: all workloads on both databases, the servers in turn within each round.
import { execFileSync } from 'node:child_process';
import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { checkServer } from './check.mjs';
import { DataSet, userNames } from './data.mjs';
import { Sqlite } from './database.mjs';
import { measure, warmUp } from './measure.mjs';
import { performancePicture } from './picture.mjs';
import { peakMegabytes } from './processes.mjs';
import { count, medians, performanceTables, say, sayFigures } from './report.mjs';
import { start, stop } from './servers.mjs';
import { pageOf20, workloads } from './workloads.mjs';

const CONNECTIONS = 32;
// Before anything counts: a just-in-time compiler has to have seen the server at work.
const FIRST_WARM_UP_SECONDS = 5;

export async function compare(options) {
  const { servers, postgres, output, scratch } = options;
  const data = new DataSet(userNames(options.users), options.tasksEach);
  const onSqlite = servers.filter(({ name }) => name === 'taskql' || name === 'rest-sqlx');
  const results = {
    machine: options.machine,
    settings: {
      users: options.users,
      tasks: data.rows,
      connections: CONNECTIONS,
      rounds: options.rounds,
      seconds: options.seconds,
      warmUpSeconds: options.warmUpSeconds,
    },
    databases: [
      await compareOn({ ...options, data, database: postgres, servers }),
      await compareOn({ ...options, data, database: new Sqlite(join(scratch, 'taskql.db')), servers: onSqlite }),
    ],
  };
  writeFileSync(join(output, 'results.json'), `${JSON.stringify(results, null, 2)}\n`);
  writeFileSync(join(output, 'performance.svg'), performancePicture(results));
  console.log(performanceTables(results));
  say(`written: ${join(output, 'results.json')} and performance.svg`);
}

async function compareOn({ database, servers, data, taskql, rounds, seconds, warmUpSeconds, scratch }) {
  say(`${database.name}: ${count(data.rows)} tasks of ${count(data.users.length)} users`);
  execFileSync(taskql, ['migrate'], { cwd: scratch, env: { DATABASE_URL: database.url }, stdio: 'ignore' });
  await database.load([data]);
  const started = [];
  const runs = [];
  let peaks;
  try {
    for (const server of servers) {
      started.push(await start(server, database, scratch));
      await checkServer(started.at(-1), data, workloads);
    }
    say(`all answers of ${servers.map(({ name }) => name).join(', ')} are right`);
    const load = { database, data, connections: CONNECTIONS, seconds, warmUpSeconds, folder: scratch };
    for (const server of started) {
      await warmUp({ ...load, server, workload: pageOf20, warmUpSeconds: FIRST_WARM_UP_SECONDS });
    }
    await database.rest();
    for (let round = 0; round < rounds; round += 1) {
      for (const workload of workloads) {
        for (let turn = 0; turn < started.length; turn += 1) {
          // Another one begins in each round.
          const server = started[(turn + round) % started.length];
          const figures = await measure({ ...load, server, workload });
          runs.push({ server: server.name, workload: workload.name, round, ...figures });
          sayFigures(`round ${round + 1} ${workload.name} ${server.name}`, figures);
        }
      }
    }
    peaks = started.map((server) => peakMegabytes(server.pid));
  } finally {
    await Promise.all(started.map(stop));
  }
  return {
    name: database.name,
    servers: servers.map(({ name, label }, nth) => ({
      name,
      label,
      peakMegabytes: peaks[nth],
      workloads: Object.fromEntries(
        workloads.map((workload) => [
          workload.name,
          medians(runs.filter((run) => run.server === name && run.workload === workload.name)),
        ]),
      ),
    })),
    runs,
  };
}

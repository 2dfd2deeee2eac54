// How the cost of a page grows: with the table, with one user's tasks, and with connections. taskql on PostgreSQL.
import { execFileSync } from 'node:child_process';
import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { checkServer } from './check.mjs';
import { DataSet, userNames } from './data.mjs';
import { measure } from './measure.mjs';
import { linesPicture } from './picture.mjs';
import { peakMegabytes } from './processes.mjs';
import { count, machineLine, medians, say, sayFigures, table } from './report.mjs';
import { start, stop } from './servers.mjs';
import { pageOf20 } from './workloads.mjs';

const CONNECTIONS = 32;
const MANY_CONNECTIONS = [1, 8, 32, 128, 512, 1_000];
// The table in which one user grows and connections become more.
const MIDDLE = 1_000_000;
const TASKS_OF_ONE = [100, 1_000, 10_000, 100_000];

const pageOfOne = { ...pageOf20, operations: () => [{ verb: 'list', user: 0, first: 20 }] };

// At most 1,000 users. Each has 100 tasks or more, so that a page is full in every table.
const dataSet = (rows) => {
  const users = Math.min(1_000, rows / 100);
  return new DataSet(userNames(users), rows / users);
};

export async function growth(options) {
  const { rows, postgres, taskql, servers, rounds, output, scratch } = options;
  const sizes = rows.map((size) => ({ rows: size, data: dataSet(size) }));
  const middle = sizes.find((size) => size.rows === MIDDLE) ?? sizes.at(-1);
  // One user each, so that the number of tasks is the only difference.
  const loners = TASKS_OF_ONE.filter((tasks) => tasks <= middle.rows).map((tasks) => ({
    tasks,
    data: new DataSet([`user-with-${tasks}`], tasks),
  }));
  const server = servers.find(({ name }) => name === 'taskql');
  const started = [];
  const runs = [];
  let peak;
  const run = async (kind, x, subject) => {
    const figures = await measure({
      connections: CONNECTIONS,
      workload: pageOf20,
      ...options,
      folder: scratch,
      ...subject,
    });
    runs.push({ kind, x, ...figures });
    sayFigures(`${kind} ${count(x)}`, figures);
  };
  try {
    for (const size of sizes) {
      say(`loading ${count(size.rows)} tasks of ${count(size.data.users.length)} users`);
      size.database = await postgres.another(`rows_${size.rows}`);
      execFileSync(taskql, ['migrate'], { cwd: scratch, env: { DATABASE_URL: size.database.url }, stdio: 'ignore' });
      await size.database.load([size.data, ...(size === middle ? loners.map(({ data }) => data) : [])]);
      started.push((size.server = await start(server, size.database, scratch)));
      await checkServer(size.server, size.data, [pageOf20]);
    }
    for (let round = 0; round < rounds; round += 1) {
      for (const { rows: x, ...size } of sizes) await run('rows', x, size);
      for (const { tasks, data } of loners)
        await run('tasks of one user', tasks, { ...middle, data, workload: pageOfOne });
      for (const connections of MANY_CONNECTIONS) await run('connections', connections, { ...middle, connections });
    }
    peak = peakMegabytes(middle.server.pid);
  } finally {
    await Promise.all(started.map(stop));
  }
  const settings = { rounds, seconds: options.seconds, connections: CONNECTIONS, middle: middle.rows };
  const results = { machine: options.machine, settings, peakMegabytes: peak, runs };
  writeFileSync(join(output, 'growth.json'), `${JSON.stringify(results, null, 2)}\n`);
  writeFileSync(join(output, 'growth.svg'), growthPicture(results));
  console.log(growthTables(results));
  say(`written: ${join(output, 'growth.json')} and growth.svg`);
}

// The medians of one kind of runs, by what grows.
function series({ runs }, kind) {
  const own = runs.filter((run) => run.kind === kind);
  const xs = [...new Set(own.map((run) => run.x))];
  return xs.map((x) => ({ x, ...medians(own.filter((run) => run.x === x)) }));
}

function growthTables(results) {
  const { settings, machine, peakMegabytes: peak } = results;
  const costs = (kind) => {
    const points = series(results, kind);
    const total = ({ serverMicros, databaseMicros }) => serverMicros + databaseMicros;
    return table(
      [kind, 'server µs', 'PostgreSQL µs', 'sum, first = 1', 'p50 ms'],
      points.map((point) => [
        count(point.x),
        count(point.serverMicros),
        count(point.databaseMicros),
        (total(point) / total(points[0])).toFixed(2),
        point.p50Ms.toFixed(1),
      ]),
    );
  };
  const connections = series(results, 'connections').map((point) => [
    count(point.x),
    count(point.perSecond),
    point.p50Ms.toFixed(1),
    point.p99Ms.toFixed(1),
    count(point.serverMicros),
    count(point.databaseMicros),
  ]);
  const medianOf = `medians of ${settings.rounds} × ${settings.seconds} s`;
  return [
    `A page of 20 pending tasks, ${settings.connections} connections, ${medianOf}\n${machineLine(machine)}`,
    costs('rows'),
    `In the table of ${count(settings.middle)} rows:`,
    costs('tasks of one user'),
    table(['connections', 'requests/s', 'p50 ms', 'p99 ms', 'server µs', 'PostgreSQL µs'], connections),
    `Peak memory with ${count(MANY_CONNECTIONS.at(-1))} connections: ${peak.toFixed(0)} MB`,
  ].join('\n\n');
}

function growthPicture(results) {
  const line = (kind, name, unit, figure, side) => ({
    name,
    unit,
    side,
    points: series(results, kind).map((point) => ({ x: point.x, y: point[figure] })),
  });
  const cost = (kind) => [
    line(kind, 'server', 'µs', 'serverMicros'),
    line(kind, 'PostgreSQL', 'µs', 'databaseMicros'),
    line(kind, 'p50', 'ms', 'p50Ms', 'right'),
  ];
  const { settings, machine } = results;
  return linesPicture(
    'A page of 20 tasks as things grow',
    `CPU time of one request and its latency; medians of ${settings.rounds} × ${settings.seconds} s`,
    [
      { title: 'The table', axis: 'rows', lines: cost('rows') },
      {
        title: 'One user',
        axis: `tasks of the user, in a table of ${count(settings.middle)} rows`,
        lines: cost('tasks of one user'),
      },
      { title: 'Connections: cost', axis: 'connections', lines: cost('connections').slice(0, 2) },
      {
        title: 'Connections: speed',
        axis: 'connections',
        lines: [
          line('connections', 'requests', 'a second', 'perSecond'),
          line('connections', 'p99', 'ms', 'p99Ms', 'right'),
        ],
      },
    ],
    machine,
  );
}

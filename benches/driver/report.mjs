// Figures as text: progress on stderr, tables in Markdown.
import { workloads } from './workloads.mjs';

export const say = (text) => console.error(`${new Date().toISOString().slice(11, 19)} ${text}`);

export function sayFigures(what, { serverMicros, databaseMicros, perSecond, p50Ms, p99Ms }) {
  const latency = `p50 ${p50Ms.toFixed(1)} ms, p99 ${p99Ms.toFixed(1)} ms`;
  say(`${what}: ${count(serverMicros)} + ${count(databaseMicros)} µs, ${count(perSecond)}/s, ${latency}`);
}

// The median of each figure.
export function medians(runs) {
  const names = ['serverMicros', 'databaseMicros', 'perSecond', 'p50Ms', 'p99Ms'];
  return Object.fromEntries(names.map((name) => [name, median(runs.map((run) => run[name]))]));
}

export function median(numbers) {
  const sorted = [...numbers].sort((a, b) => a - b);
  const middle = sorted.length >> 1;
  return sorted.length % 2 === 1 ? sorted[middle] : (sorted[middle - 1] + sorted[middle]) / 2;
}

export const count = (number) => Math.round(number).toLocaleString('en');
const short = (number) => number.toFixed(number < 10 ? 1 : 0);

export function table(head, rows) {
  return [head, head.map(() => '---'), ...rows].map((row) => `| ${row.join(' | ')} |`).join('\n');
}

export function machineLine(machine) {
  return Object.values(machine).join(' · ');
}

export function performanceTables({ machine, settings, databases }) {
  const { tasks, users, connections, rounds, seconds } = settings;
  const dataSet = `${count(tasks)} tasks of ${count(users)} users, ${connections} connections`;
  return [
    `${dataSet}, medians of ${rounds} × ${seconds} s\n${machineLine(machine)}`,
    ...databases.flatMap(databaseTables),
  ].join('\n\n');
}

function databaseTables(database) {
  const { name, servers } = database;
  const head = workloads.map((workload) => `${workload.name} ${workload.title}`);
  const hasProcess = name !== 'SQLite';
  const cost = ({ serverMicros, databaseMicros }) =>
    count(serverMicros) + (hasProcess ? ` + ${count(databaseMicros)}` : '');
  const each = (server, cell) => workloads.map((workload) => cell(server.workloads[workload.name]));
  const costs = servers.map((server) => [server.label, ...each(server, cost), `${server.peakMegabytes.toFixed(0)} MB`]);
  const [taskql, ...others] = servers;
  const ratios = others.map((other) => [
    `taskql ÷ ${other.label}`,
    ...workloads.map(({ name: workload }) => {
      const [ours, theirs] = [taskql.workloads[workload], other.workloads[workload]];
      const ratio = (figure) => (ours[figure] / theirs[figure]).toFixed(2);
      return ratio('serverMicros') + (hasProcess ? ` · ${ratio('databaseMicros')}` : '');
    }),
    (taskql.peakMegabytes / other.peakMegabytes).toFixed(2),
  ]);
  const speed = ({ perSecond, p50Ms, p99Ms }) => `${count(perSecond)}/s · ${short(p50Ms)} · ${short(p99Ms)}`;
  const speeds = servers.map((server) => [server.label, ...each(server, speed)]);
  const figure = `µs of CPU a request, server${hasProcess ? ` + ${name}` : ' with its SQLite'}`;
  return [
    `### ${name}`,
    table([figure, ...head, 'peak memory'], [...costs, ...ratios]),
    table(['requests/s · p50 · p99 in ms', ...head], speeds),
  ];
}

// One run: wrk against one server, with the CPU time that the server and its database use meanwhile.
import assert from 'node:assert/strict';
import { once } from 'node:events';
import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { setTimeout as wait } from 'node:timers/promises';
import { checkSample } from './check.mjs';
import { processSeconds, run } from './processes.mjs';
import { isWrite, request, token } from './workloads.mjs';

const REPLAY = fileURLToPath(new URL('../load/replay.lua', import.meta.url));
// How long between two samples of the answers; a handful beside tens of thousands of requests.
const SAMPLE_EVERY_MS = 100;

async function wrk(server, connections, seconds, ...replay) {
  const load = ['--latency', '-t1', `-c${connections}`, `-d${seconds}s`, '--timeout', '10s'];
  const args = [...load, '-s', REPLAY, server.origin, '--', ...replay];
  const child = run('wrk', args, { stdio: ['ignore', 'pipe', 'inherit'] });
  const ended = once(child, 'close');
  let output = '';
  child.stdout.setEncoding('utf8').on('data', (text) => (output += text));
  const [code] = await ended;
  assert.equal(code, 0, `wrk failed: ${output}`);
  const figures = JSON.parse(output.trim().split('\n').at(-1));
  assert.ok(figures.requests > 0 && figures.failures === 0, `${server.name} failed under load: ${output}`);
  return figures;
}

// Checks answers until `signal` says stop; gives how many.
async function sample(server, data, operations, isQuiet, signal) {
  let samples = 0;
  while (!signal.aborted) {
    await checkSample(server, data, operations[(samples * 37) % operations.length], isQuiet);
    samples += 1;
    await wait(SAMPLE_EVERY_MS, undefined, { signal }).catch(() => {});
  }
  return samples;
}

const revisions = async (database) => Number(await database.sql('select sum(revision) from users;'));

// How many of the first `requests` requests are writes.
function writesAmong(operations, requests) {
  const whole = Math.floor(requests / operations.length) * operations.filter(isWrite).length;
  return whole + operations.slice(0, requests % operations.length).filter(isWrite).length;
}

// Writes the requests of `operations` to the file that wrk plays.
function writeRequests(file, server, data, operations) {
  const tokens = new Map();
  const lines = operations.map((operation) => {
    const { method, path, accept, body } = request(server.kind, data, operation);
    const user = data.users[operation.user];
    if (!tokens.has(user)) tokens.set(user, token(user));
    return [method, path, accept, tokens.get(user), body ?? ''].join('\t');
  });
  writeFileSync(file, lines.join('\n') + '\n');
}

// Runs `workload` without measuring. Every answer is looked at.
export async function warmUp({ server, data, workload, connections, warmUpSeconds, folder }) {
  const file = join(folder, 'requests');
  writeRequests(file, server, data, workload.operations(data));
  await wrk(server, connections, warmUpSeconds, file, 'check');
  return file;
}

// Runs `workload` against `server` and gives the figures of one request. Fails where an answer is wrong, or where the
// database does not hold the writes that were answered.
export async function measure(options) {
  const { server, database, data, workload, connections, seconds } = options;
  const operations = workload.operations(data);
  const file = await warmUp(options);
  const revisionsBefore = workload.writes ? await revisions(database) : 0;

  const end = new AbortController();
  const serverBefore = processSeconds(server.pid);
  const databaseBefore = database.cpuSeconds();
  const sampling = sample(server, data, operations, !workload.writes, end.signal);
  // A wrong answer is told when the load is over.
  sampling.catch(() => {});
  const figures = await wrk(server, connections, seconds, file);
  end.abort();
  const samples = await sampling;
  const serverSeconds = processSeconds(server.pid) - serverBefore;
  const databaseSeconds = database.cpuSeconds() - databaseBefore;

  if (workload.writes) {
    const made = (await revisions(database)) - revisionsBefore;
    // What was under way when wrk left, at the end and after the warm-up, may have been made or not; a request for each
    // connection, all of them writes at worst.
    const sent = writesAmong(operations, figures.requests + connections);
    const [least, most] = [sent - connections, sent + connections + samples];
    const what = `${server.name} made ${made} writes; ${least} to ${most} would be right`;
    assert.ok(made >= least && made <= most, what);
    await database.rest();
  }
  const requests = figures.requests + samples;
  return {
    serverMicros: (serverSeconds / requests) * 1e6,
    databaseMicros: (databaseSeconds / requests) * 1e6,
    perSecond: figures.requests / figures.seconds,
    p50Ms: figures.p50Ms,
    p99Ms: figures.p99Ms,
    requests: figures.requests,
  };
}

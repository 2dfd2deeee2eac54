// Processes: starting them so that none outlives this one, and what Linux knows of them: CPU time, children, memory.
import { execFileSync, spawn } from 'node:child_process';
import { readdirSync, readFileSync } from 'node:fs';

const TICKS_A_SECOND = Number(execFileSync('getconf', ['CLK_TCK'], { encoding: 'utf8' }));

const running = new Set();
process.on('exit', () => running.forEach((child) => child.kill('SIGKILL')));
process.on('SIGTERM', () => process.exit(143));

export function run(program, args, options) {
  const child = spawn(program, args, options);
  running.add(child);
  child.once('exit', () => running.delete(child));
  return child;
}

export const isRunning = (child) => running.has(child);

// The fields of /proc/PID/stat from the third on, which is number 0 here; null where the process is gone.
function stat(pid) {
  try {
    const text = readFileSync(`/proc/${pid}/stat`, 'utf8');
    return text.slice(text.lastIndexOf(')') + 2).split(' ');
  } catch {
    return null;
  }
}

// User and system time of a process with all its threads; with `reaped`, that of its ended children too.
export function processSeconds(pid, reaped = false) {
  const fields = stat(pid);
  if (fields === null) return 0;
  const ticks = fields.slice(11, reaped ? 15 : 13).map(Number);
  return ticks.reduce((sum, part) => sum + part, 0) / TICKS_A_SECOND;
}

export function children(pid) {
  const all = readdirSync('/proc').filter((name) => /^\d+$/.test(name));
  return all.filter((child) => stat(child)?.[1] === String(pid));
}

// The most memory that a process has had at once.
export function peakMegabytes(pid) {
  return Number(readFileSync(`/proc/${pid}/status`, 'utf8').match(/VmHWM:\s+(\d+) kB/)[1]) / 1024;
}

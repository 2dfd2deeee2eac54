// The two databases: filling them, bringing them to rest between two runs, and what CPU time they have used. taskql
// itself has made the tables; everything else goes through the databases' own command lines.
import { once } from 'node:events';
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { START } from './data.mjs';
import { children, processSeconds, run } from './processes.mjs';

const COLUMNS = `user_id, id, title, title_key, description, completed, completed_at, priority, due_date, created_at,
  updated_at, version, revision, created_revision`;

// Runs a command line with `input`, a text or an iterable of texts, and gives what it prints.
async function command(program, args, input) {
  const child = run(program, args, { stdio: ['pipe', 'pipe', 'inherit'] });
  const ended = once(child, 'close');
  // A program that ends early closes the pipe; its exit code tells why.
  child.stdin.on('error', () => {});
  let output = '';
  child.stdout.setEncoding('utf8').on('data', (text) => (output += text));
  for (const text of typeof input === 'string' ? [input] : input) {
    if (child.exitCode !== null || child.stdin.destroyed) break;
    if (!child.stdin.write(text)) await Promise.race([once(child.stdin, 'drain').catch(() => {}), ended]);
  }
  child.stdin.end();
  const [code] = await ended;
  if (code !== 0) throw new Error(`${program} failed`);
  return output.trim();
}

// Texts of `size` rows each, so that a pipe is not written to row by row.
function* batches(rows, size, combine) {
  let batch = [];
  for (const row of rows) {
    if (batch.push(row) === size) {
      yield combine(batch);
      batch = [];
    }
  }
  if (batch.length > 0) yield combine(batch);
}

function* mapped(rows, change) {
  for (const row of rows) yield change(row);
}

// Pairs from lines of two columns.
const named = (lines) => lines.split('\n').map((line) => line.split('|'));

// Titles and descriptions have nothing in them that needs an escape in either form.
function values(task, { instant, uuid, bool }) {
  const { userId, id, title, description, completed, priority, version, revision, createdRevision } = task;
  return [
    userId,
    uuid(id),
    title,
    title.toLowerCase(),
    description,
    bool(completed),
    instant(task.completedAt),
    priority,
    instant(task.dueDate),
    instant(task.createdAt),
    instant(task.updatedAt),
    version,
    revision,
    createdRevision,
  ];
}

export class Postgres {
  name = 'PostgreSQL';

  // `cluster` is the folder that scripts/postgres made.
  constructor(url, cluster) {
    Object.assign(this, { url, cluster });
  }

  sql(text) {
    return command('psql', ['-XAtq', '-v', 'ON_ERROR_STOP=1', this.url], text);
  }

  // Another database in the same cluster.
  async another(name) {
    await this.sql(`create database ${name}`);
    const url = new URL(this.url);
    url.pathname = `/${name}`;
    return new Postgres(url.href, this.cluster);
  }

  // No run pays for what another left behind: vacuums and checkpoints are made between runs, by `rest`.
  async configure() {
    const settings = ["autovacuum = 'off'", "max_wal_size = '8GB'", "checkpoint_timeout = '1h'"];
    await this.sql(settings.map((setting) => `alter system set ${setting};`).join('\n') + 'select pg_reload_conf();');
  }

  // Adds whole data sets; the indexes are made afterwards.
  async load(dataSets) {
    const indexes = named(
      await this.sql(
        "select indexname, indexdef from pg_indexes where tablename = 'tasks' and indexname <> 'tasks_pkey'",
      ),
    );
    const instant = (ms) => (ms === null ? null : new Date(ms).toISOString());
    const kinds = { instant, uuid: (id) => id, bool: (value) => (value ? 't' : 'f') };
    const line = (task) =>
      values(task, kinds)
        .map((value) => value ?? '\\N')
        .join('\t');
    const start = instant(START);
    function* script() {
      // Rows are known to be right; foreign keys are not looked up one by one.
      yield "set session_replication_role = replica; set maintenance_work_mem = '512MB';\n";
      yield* indexes.map(([name]) => `drop index ${name};\n`);
      yield 'alter table tasks drop constraint tasks_pkey;\n';
      for (const data of dataSets) {
        yield `copy users (id, revision, created_at, updated_at) from stdin;\n`;
        yield* data.users.map((user) => `${user}\t${data.revision}\t${start}\t${start}\n`);
        yield `\\.\ncopy tasks (${COLUMNS}) from stdin;\n`;
        yield* batches(mapped(data.tasks(), line), 500, (lines) => lines.join('\n') + '\n');
        yield '\\.\n';
      }
      yield 'alter table tasks add constraint tasks_pkey primary key (user_id, id);\n';
      yield* indexes.map(([, definition]) => `${definition};\n`);
      yield 'vacuum analyze;\ncheckpoint;\n';
    }
    await command('psql', ['-Xq', '-v', 'ON_ERROR_STOP=1', this.url], script());
  }

  rest() {
    return this.sql('vacuum users, tasks;\ncheckpoint;');
  }

  // The CPU seconds of the whole cluster since its start: the first process, those it has, and those it had.
  cpuSeconds() {
    const first = Number(readFileSync(join(this.cluster, 'data', 'postmaster.pid'), 'utf8').split('\n')[0]);
    // The first process comes last: one that ends meanwhile is counted there.
    const living = children(first).map((pid) => processSeconds(pid, true));
    return [...living, processSeconds(first, true)].reduce((sum, seconds) => sum + seconds, 0);
  }

  async version() {
    return `PostgreSQL ${(await this.sql('show server_version')).split(' ')[0]}`;
  }
}

export class Sqlite {
  name = 'SQLite';

  constructor(path) {
    Object.assign(this, { path, url: `sqlite:${path}` });
  }

  sql(text) {
    return command('sqlite3', ['-batch', '-bail', '-cmd', '.timeout 5000', this.path], text);
  }

  async configure() {}

  async load(dataSets) {
    const indexes = named(
      await this.sql(
        "select name, sql from sqlite_master where type = 'index' and tbl_name = 'tasks' and sql is not null",
      ),
    );
    const instant = (ms) => (ms === null ? null : new Date(ms).toISOString().replace(/(\.000)?Z$/, '+00:00'));
    const kinds = { instant, uuid: (id) => Buffer.from(id.replaceAll('-', ''), 'hex'), bool: Number };
    const literal = (value) => {
      if (value === null) return 'null';
      if (Buffer.isBuffer(value)) return `x'${value.toString('hex')}'`;
      return typeof value === 'number' ? value : `'${value}'`;
    };
    const start = literal(instant(START));
    const row = (task) => `(${values(task, kinds).map(literal)})`;
    function* script() {
      // The checks use a function that Debian 12's command line does not have yet. PostgreSQL checks the same rows.
      yield 'pragma ignore_check_constraints = on;\n';
      yield 'pragma journal_mode = off; pragma synchronous = off; pragma cache_size = -500000; begin;\n';
      yield* indexes.map(([name]) => `drop index ${name};\n`);
      for (const data of dataSets) {
        const users = data.users.map((user) => `('${user}', ${data.revision}, ${start}, ${start})`);
        yield `insert into users (id, revision, created_at, updated_at) values ${users};\n`;
        yield* batches(mapped(data.tasks(), row), 200, (rows) => `insert into tasks (${COLUMNS}) values ${rows};\n`);
      }
      yield* indexes.map(([, definition]) => `${definition};\n`);
      yield 'commit; analyze; pragma journal_mode = wal;\n';
    }
    await command('sqlite3', ['-batch', '-bail', this.path], script());
  }

  rest() {
    return this.sql('pragma wal_checkpoint(truncate);');
  }

  // It has no process of its own.
  cpuSeconds() {
    return 0;
  }
}

// A real Better Auth with its jwt plugin signs a user up; its tokens work here, before and after it changes its key:
// node test.mjs PATH-OF-TASKQL
import assert from 'node:assert/strict';
import { spawn } from 'node:child_process';
import { createServer } from 'node:http';
import { createInterface } from 'node:readline';
import { setTimeout as sleep } from 'node:timers/promises';
import { betterAuth } from 'better-auth';
import { memoryAdapter } from 'better-auth/adapters/memory';
import { toNodeHandler } from 'better-auth/node';
import { jwt } from 'better-auth/plugins';

const ROTATION_S = 2;

const provider = createServer();
await new Promise((done) => provider.listen(0, '127.0.0.1', done));
const issuer = `http://127.0.0.1:${provider.address().port}`;
const auth = betterAuth({
  baseURL: issuer,
  secret: 'a secret of the test, 32 bytes and more',
  database: memoryAdapter({ user: [], session: [], account: [], verification: [], jwks: [] }),
  emailAndPassword: { enabled: true },
  plugins: [jwt({ jwks: { rotationInterval: ROTATION_S, gracePeriod: 3600 } })],
  telemetry: { enabled: false },
});
let fetches = 0;
const handler = toNodeHandler(auth);
provider.on('request', (request, response) => {
  fetches += request.url === '/api/auth/jwks' ? 1 : 0;
  handler(request, response);
});

const signUp = await fetch(`${issuer}/api/auth/sign-up/email`, {
  method: 'POST',
  headers: { 'content-type': 'application/json', origin: issuer },
  body: JSON.stringify({ email: 'ada@example.com', name: 'Ada', password: 'correct horse battery' }),
});
assert.equal(signUp.status, 200, await signUp.clone().text());
const { user } = await signUp.json();
const cookie = signUp.headers.getSetCookie().map((line) => line.split(';')[0]).join('; ');

async function freshToken() {
  const response = await fetch(`${issuer}/api/auth/token`, { headers: { cookie } });
  assert.equal(response.status, 200, await response.clone().text());
  return (await response.json()).token;
}

const header = (token) => JSON.parse(Buffer.from(token.split('.')[0], 'base64url'));

const server = spawn(process.argv[2], ['serve'], {
  env: {
    DATABASE_URL: 'sqlite::memory:',
    TASKQL_JWKS_URL: `${issuer}/api/auth/jwks`,
    TASKQL_JWT_ISSUER: issuer,
    TASKQL_JWT_AUDIENCE: issuer,
    TASKQL_LISTEN: '127.0.0.1:0',
  },
  stdio: ['ignore', 'ignore', 'pipe'],
});

try {
  let address;
  for await (const line of createInterface({ input: server.stderr })) {
    address = line.match(/listening address=(\S+)/)?.[1];
    if (address) break;
  }
  server.stderr.resume();

  const run = async (token, query) => {
    const response = await fetch(`http://${address}/graphql`, {
      method: 'POST',
      headers: { 'content-type': 'application/json', authorization: `Bearer ${token}` },
      body: JSON.stringify({ query }),
    });
    return { status: response.status, ...(await response.json()) };
  };

  const first = await freshToken();
  assert.equal(header(first).alg, 'EdDSA');
  const viewer = await run(first, '{ viewer { id email name } }');
  assert.deepEqual(viewer.data?.viewer, { id: user.id, email: 'ada@example.com', name: 'Ada' }, JSON.stringify(viewer));
  const created = await run(first, 'mutation { createTask(input: { title: "Buy milk" }) { task { title } } }');
  assert.equal(created.data?.createTask.task.title, 'Buy milk');

  await sleep((ROTATION_S + 0.5) * 1000);
  const second = await freshToken();
  assert.notEqual(header(second).kid, header(first).kid, 'the provider has changed its key');
  for (const token of [second, first]) {
    const list = await run(token, '{ tasks { totalCount } }');
    assert.equal(list.data?.tasks.totalCount, 1, JSON.stringify(list));
  }

  const forged = await run(`${second.slice(0, -4)}AAAA`, '{ viewer { id } }');
  assert.equal(forged.status, 401);

  const before = fetches;
  const [, claims, signature] = second.split('.');
  for (let batch = 0; batch < 10; batch += 1) {
    const tries = Array.from({ length: 50 }, (_, n) => {
      const kid = `unknown-${batch}-${n}`;
      const unknown = Buffer.from(JSON.stringify({ ...header(second), kid })).toString('base64url');
      return run(`${unknown}.${claims}.${signature}`, '{ viewer { id } }');
    });
    for (const answer of await Promise.all(tries)) assert.equal(answer.status, 401);
  }
  assert.ok(fetches - before <= 1, `${fetches - before} fetches for unknown keys`);
  console.log(`Better Auth: signed up, two keys, ${fetches} fetches of its keys in all`);
} finally {
  server.kill();
  provider.close();
  provider.closeAllConnections();
}

// GraphiQL: complete without any other host, and able to query, change and follow.
import assert from 'node:assert/strict';
import { becomes, check, picture } from './checks.mjs';

export async function checkGraphiql(browser, server) {
  const context = await browser.newContext({ viewport: { width: 1280, height: 800 }, colorScheme: 'light' });
  const page = await context.newPage();
  const [foreign, complaints] = [[], []];
  await context.route(
    (url) => url.origin !== server.origin,
    (route) => {
      foreign.push(route.request().url());
      return route.abort();
    },
  );
  page.on('console', (message) => {
    if (message.type() === 'error') complaints.push(message.text());
  });
  page.on('pageerror', (error) => complaints.push(String(error)));

  const headers = page.locator('[aria-label="Headers"] .graphiql-editor:not(.hidden) .CodeMirror');
  const textOf = (place) => place.evaluate((element) => element.CodeMirror.getValue());
  const answer = async () => {
    const text = await textOf(page.locator('.result-window .CodeMirror'));
    return text === '' ? null : JSON.parse(text);
  };
  const run = () => page.getByRole('button', { name: /execute query|stop query/i }).click();

  const openTab = async (name) => {
    await page.getByRole('tab', { name }).click();
    // GraphiQL reads the document a moment later, and runs the operation of the tab before until then.
    const query = page.locator('.graphiql-query-editor .CodeMirror');
    await becomes(() => query.evaluate((element) => element.CodeMirror.operationName), name);
  };

  await check('GraphiQL opens without any other host and without a complaint', async () => {
    await page.goto(`${server.origin}/graphql`);
    await page.getByRole('tab', { name: 'PendingTasks' }).waitFor();
    await page.getByRole('button', { name: /documentation explorer/i }).click();
    await page.getByRole('link', { name: 'Query', exact: true }).waitFor();
    assert.deepEqual(foreign, []);
    assert.deepEqual(complaints, []);
  });

  await check('GraphiQL comes with the token filled in', async () => {
    assert.deepEqual(JSON.parse(await textOf(headers)), { Authorization: `Bearer ${server.token}` });
  });

  await check('GraphiQL shows what the schema says of its types', async () => {
    await page.getByRole('link', { name: 'Query', exact: true }).click();
    await page.getByText('What can be asked.').waitFor();
    await page.getByRole('link', { name: 'tasks', exact: true }).click();
    await page.getByText(/The viewer's tasks, a page at a time/).waitFor();
    await page.getByRole('button', { name: /documentation explorer/i }).click();
  });

  await check('a query runs in GraphiQL', async () => {
    await server.create({ title: 'Water the plants', priority: 'HIGH' });
    await run();
    await becomes(async () => (await answer())?.data?.tasks.nodes[0]?.title, 'Water the plants');
    await picture(page, 'graphiql');
  });

  await check('a mutation runs in GraphiQL', async () => {
    await openTab('AddTask');
    await run();
    await becomes(async () => (await answer())?.data?.createTask.task.title, 'Buy milk');
    assert.deepEqual(await server.titles(), ['Buy milk', 'Water the plants']);
  });

  await check('a subscription in GraphiQL tells changes made elsewhere, until it is stopped', async () => {
    await openTab('FollowTasks');
    const isStream = (request) => request.headers().accept === 'text/event-stream';
    const opened = page.waitForResponse((response) => isStream(response.request()));
    await run();
    const response = await opened;
    assert.equal(response.headers()['content-type'].split(';')[0], 'text/event-stream');
    for (const title of ['Call Ada', 'Call Grace']) {
      const taskId = await server.create({ title });
      await becomes(async () => (await answer())?.data?.taskChanged.taskId, taskId);
      assert.equal((await answer()).data.taskChanged.task.title, title);
    }
    const ended = page.waitForEvent('requestfailed', { predicate: isStream });
    await run();
    await ended;
    assert.equal((await answer()).data.taskChanged.task.title, 'Call Grace', 'the last result stays');
  });

  await check('a subscription that is refused in GraphiQL says why', async () => {
    await headers.evaluate((element) => element.CodeMirror.setValue('{ "Authorization": "Bearer no" }'));
    await run();
    await becomes(async () => (await answer())?.errors?.[0].extensions.code, 'UNAUTHENTICATED');
  });

  await check('GraphiQL has asked no other host in all this', async () => assert.deepEqual(foreign, []));
  await context.close();
}

// The task application in two windows side by side. The second one's line to the server can be cut.
import assert from 'node:assert/strict';
import axe from 'axe-core';
import { becomes, check, LONGEST_WAIT_MS, picture } from './checks.mjs';
import { Line } from './server.mjs';

const ORDERS = {
  'Newest first': { sortBy: 'CREATED', direction: 'DESC' },
  'Oldest first': { sortBy: 'CREATED', direction: 'ASC' },
  'Title, A to Z': { sortBy: 'TITLE', direction: 'ASC' },
  'Title, Z to A': { sortBy: 'TITLE', direction: 'DESC' },
  'Due date, soonest first': { sortBy: 'DUE_DATE', direction: 'ASC' },
  'Due date, latest first': { sortBy: 'DUE_DATE', direction: 'DESC' },
};
const CHANGES = ['CreateTask', 'UpdateTask', 'DeleteTask'];
const STATUSES = ['All', 'Pending', 'Completed'];

const titles = (page) => page.locator('li .name').allTextContents();
const tick = (page, title) => page.getByRole('checkbox', { name: title, exact: true });
const row = (page, title) => page.locator('li').filter({ has: tick(page, title) });
const says = (page, text) => page.getByRole('status').filter({ hasText: text }).waitFor({ state: 'attached' });
const focused = (page) =>
  page.evaluate(() => document.activeElement?.closest('li')?.querySelector('.name')?.textContent);

export async function checkApp(browser, server) {
  const complaints = [];
  const line = new Line(server.port);
  const secondOrigin = await line.open();

  const window = async ({ origin = server.origin, token, ...options } = {}) => {
    const context = await browser.newContext({
      ...{ viewport: { width: 1000, height: 800 }, locale: 'en-GB', timezoneId: 'Europe/Berlin', colorScheme: 'light' },
      ...options,
    });
    context.setDefaultTimeout(LONGEST_WAIT_MS);
    const page = await context.newPage();
    page.on('pageerror', (error) => complaints.push(String(error)));
    page.on('console', (message) => {
      if (/content security policy/i.test(message.text())) complaints.push(message.text());
    });
    await page.goto(`${origin}/app`);
    if (token) await page.getByLabel('Token').fill(token);
    await page.getByRole('button', { name: 'Sign in' }).click();
    await says(page, 'Live');
    return page;
  };
  const add = async (page, title) => {
    await page.getByLabel('Title of the new task').fill(title);
    await page.getByRole('button', { name: 'Add' }).click();
  };
  const edit = async (page, title, changes) => {
    await page.getByRole('button', { name: `Edit ${title}` }).click();
    const form = page.getByRole('form', { name: `Edit ${title}` });
    for (const [label, value] of Object.entries(changes)) {
      const field = form.getByLabel(label, { exact: true });
      await (label === 'Priority' ? field.selectOption(value) : field.fill(value));
    }
    await form.getByRole('button', { name: 'Save' }).click();
  };
  /** Keeps back what the page asks of the API, or the answers to that, until it is let go. */
  const hold = async (page, what, operations) => {
    let letGo;
    const held = new Promise((resolve) => (letGo = resolve));
    const kept = [];
    await page.route('**/graphql', async (route) => {
      const { operationName } = route.request().postDataJSON();
      if (!operations.includes(operationName)) return route.continue();
      const response = what === 'answers' ? await route.fetch() : undefined;
      kept.push(operationName);
      await held;
      return response ? route.fulfill({ response }) : route.continue();
    });
    const release = async () => {
      letGo();
      await page.unrouteAll({ behavior: 'wait' });
    };
    return { kept, release };
  };
  const refuse = (page, status, error) =>
    page.route('**/graphql', (route) =>
      route.fulfill({
        status,
        contentType: 'application/graphql-response+json; charset=utf-8',
        body: JSON.stringify({ errors: [error] }),
      }),
    );
  const newUser = (name) => server.command('token', '--sub', name);

  const first = await window();
  const second = await window({ origin: secondOrigin });
  /** A check that begins with two fresh windows and no tasks. */
  const checkAfresh = (name, body) =>
    check(name, async () => {
      line.mend();
      await server.start();
      await server.clear();
      for (const page of [first, second]) {
        await page.unrouteAll({ behavior: 'ignoreErrors' });
        await page.reload();
        await says(page, 'Live');
        await page.getByText('Nothing here yet').waitFor();
      }
      await body();
    });

  await check('signing in and out: a bad token is refused in words, a reload does not sign out', async () => {
    const page = await window();
    await page.reload();
    await says(page, 'Live');
    await page.getByRole('button', { name: 'Sign out' }).click();
    await page.getByLabel('Token').fill('nonsense');
    await page.getByRole('button', { name: 'Sign in' }).click();
    await page.getByText('The token is invalid or has expired').waitFor();
    await page.getByLabel('Token').fill(newUser('grace'));
    await page.getByRole('button', { name: 'Sign in' }).click();
    await page.getByText('Nothing here yet').waitFor();
    await page.getByText('grace', { exact: true }).waitFor();
    await page.context().close();
  });

  await checkAfresh('a change in one window appears in the other: created, completed, edited, deleted', async () => {
    await add(first, 'Buy milk');
    await tick(second, 'Buy milk').waitFor();
    await tick(second, 'Buy milk').click();
    await becomes(() => tick(first, 'Buy milk').isChecked(), true);
    const changes = { Title: 'Buy oat milk', Description: 'Two litres', Due: '2031-05-06T17:30', Priority: 'High' };
    await edit(first, 'Buy milk', changes);
    await row(second, 'Buy oat milk').getByText('Two litres').waitFor();
    await row(second, 'Buy oat milk').getByText('6 May 2031, 17:30').waitFor();
    await row(second, 'Buy oat milk').getByText('High').waitFor();
    const { tasks } = await server.ask('{ tasks { nodes { title completed priority dueDate description } } }');
    const dueDate = '2031-05-06T15:30:00.000000Z';
    const expected = { title: 'Buy oat milk', completed: true, priority: 'HIGH', dueDate, description: 'Two litres' };
    assert.deepEqual(tasks.nodes, [expected]);
    await second.getByRole('button', { name: 'Delete Buy oat milk' }).click();
    await tick(first, 'Buy oat milk').waitFor({ state: 'detached' });
    await becomes(() => server.titles(), []);
  });

  await checkAfresh('a deleted task can be brought back', async () => {
    const id = await server.create({ title: 'Keep me', priority: 'LOW', dueDate: '2031-01-01T00:00:00Z' });
    await server.update(id, { completed: true });
    await first.getByRole('button', { name: 'Delete Keep me' }).click();
    await tick(second, 'Keep me').waitFor({ state: 'detached' });
    await first.getByRole('button', { name: 'Undo' }).click();
    await becomes(() => tick(second, 'Keep me').isChecked(), true);
    await row(second, 'Keep me').getByText('Low').waitFor();
  });

  await checkAfresh('each filter in each order shows what the server has, at first and after changes', async () => {
    const ids = [];
    const names = ['Zebra', 'apple', 'Äpfel', 'Straße', 'STRASSE 2', 'émile', '10 eggs', '9 eggs', 'Buy', '🍋 lemons'];
    for (const [nth, title] of names.entries()) {
      const dueDate = nth % 3 === 0 ? null : `2031-0${9 - (nth % 4)}-01T12:00:00Z`;
      ids.push(await server.create({ title, dueDate }));
      if (nth % 4 === 1) await server.update(ids[nth], { completed: true });
    }
    const compare = async () => {
      for (const status of STATUSES) {
        await first.getByRole('radio', { name: status }).check();
        for (const [label, order] of Object.entries(ORDERS)) {
          await first.getByLabel('Sort').selectOption(label);
          const expected = await server.titles({ status: status.toUpperCase(), ...order });
          await becomes(() => titles(first), expected);
        }
      }
    };
    await compare();
    await server.update(ids[0], { title: 'aardvark', dueDate: '2030-01-01T00:00:00Z' });
    await server.update(ids[1], { completed: false });
    await server.update(ids[2], { completed: true, dueDate: null });
    await server.delete(ids[3]);
    await server.create({ title: 'm', dueDate: '2031-07-15T00:00:00Z' });
    // All lists are in the cache by now: what they show was put there by the change feed.
    const queries = [];
    first.on('request', (request) => {
      if (request.postData()?.includes('query Tasks')) queries.push(request.url());
    });
    await compare();
    assert.deepEqual(queries, []);
    const counts = await Promise.all(STATUSES.map((status) => server.titles({ status: status.toUpperCase() })));
    const labels = STATUSES.map((status, nth) => `${status} ${counts[nth].length}`);
    const read = (places) => places.map((place) => place.innerText.replace('\n', ' '));
    await becomes(() => first.locator('fieldset label').evaluateAll(read), labels);
  });

  await check('120 tasks are loaded page by page as one scrolls, each once, in order', async () => {
    const token = newUser('scroll');
    const names = Array.from({ length: 120 }, (_, nth) => `Task ${String(nth + 1).padStart(3, '0')}`);
    await server.createAll(names, token);
    const page = await window({ token });
    let pages = 0;
    page.on('request', (request) => {
      if (request.postData()?.includes('query Tasks')) pages += 1;
    });
    await page.getByLabel('Sort').selectOption('Title, A to Z');
    await becomes(async () => (await titles(page))[0], 'Task 001');
    const before = (await titles(page)).length;
    assert.ok(before < 120, `${before} tasks without scrolling`);
    // Behind what is loaded one task changes and one moves to the front; in front one is made. None disturbs the pages.
    const { tasks } = await server.ask('{ tasks(sortBy: TITLE, last: 2) { nodes { id } } }', {}, token);
    await server.update(tasks.nodes[0].id, { completed: true }, token);
    await server.update(tasks.nodes[1].id, { title: 'Task 000' }, token);
    await server.create({ title: 'Task 0005' }, token);
    await becomes(async () => (await titles(page)).slice(0, 3), ['Task 000', 'Task 0005', 'Task 001']);
    assert.ok(!(await titles(page)).includes('Task 119'), 'a task comes with its page');
    const expected = ['Task 000', 'Task 0005', ...names.slice(0, -1)];
    await becomes(async () => {
      await page.mouse.move(500, 400);
      await page.mouse.wheel(0, 2000);
      return titles(page);
    }, expected);
    assert.equal(pages, 4, 'pages of 30');
    assert.equal(await page.getByRole('button', { name: 'Load more' }).count(), 0);
    await page.context().close();
  });

  await check('a page that could not be loaded says so, and is loaded when it is asked for', async () => {
    const page = await window({ token: newUser('scroll') });
    const { length } = await titles(page);
    await refuse(page, 503, { message: 'away', extensions: { code: 'SERVICE_UNAVAILABLE' } });
    await page.getByRole('button', { name: 'Load more' }).scrollIntoViewIfNeeded();
    await page.getByRole('alert').filter({ hasText: 'The server is busy' }).waitFor();
    await page.unrouteAll({ behavior: 'ignoreErrors' });
    await page.getByRole('button', { name: 'Load more' }).click();
    await becomes(async () => (await titles(page)).length > length, true);
    await page.context().close();
  });

  await check('the next page can be loaded by keyboard alone', async () => {
    const page = await window({ token: newUser('scroll') });
    await page.addInitScript(() => {
      globalThis.IntersectionObserver = class {
        observe() {}
        disconnect() {}
      };
    });
    await page.reload();
    await says(page, 'Live');
    await becomes(async () => (await titles(page)).length, 30);
    await page.getByRole('button', { name: 'Load more' }).focus();
    for (const length of [60, 90, 120]) {
      await page.keyboard.press('Enter');
      await becomes(async () => (await titles(page)).length, length);
    }
    await page.keyboard.press('Enter');
    await becomes(async () => (await titles(page)).length, 121);
    await page.context().close();
  });

  await checkAfresh('changes show at once, before the server has answered', async () => {
    await server.create({ title: 'To be edited' });
    await server.create({ title: 'To be deleted' });
    await server.create({ title: 'To be completed' });
    await tick(first, 'To be completed').waitFor();
    const before = await server.titles();
    const { release } = await hold(first, 'requests', CHANGES);
    await tick(first, 'To be completed').click();
    assert.equal(await tick(first, 'To be completed').isChecked(), true);
    await add(first, 'New');
    await tick(first, 'New').waitFor();
    await edit(first, 'To be edited', { Title: 'Edited' });
    await tick(first, 'Edited').waitFor();
    await first.getByRole('button', { name: 'Delete To be deleted' }).click();
    await tick(first, 'To be deleted').waitFor({ state: 'detached' });
    assert.deepEqual(await server.titles(), before, 'nothing has reached the server');
    assert.deepEqual(await server.titles({ status: 'COMPLETED' }), []);
    await release();
    const after = ['New', 'To be completed', 'Edited'];
    await becomes(() => server.titles(), after);
    await becomes(() => server.titles({ status: 'COMPLETED' }), ['To be completed']);
    await becomes(() => titles(second), after);
    assert.deepEqual(await titles(first), after);
  });

  await checkAfresh('two quick changes of one task arrive in their order', async () => {
    await server.create({ title: 'Quick' });
    const { kept, release } = await hold(first, 'requests', CHANGES);
    await tick(first, 'Quick').click();
    await tick(first, 'Quick').click();
    await edit(first, 'Quick', { Title: 'Quicker' });
    await tick(first, 'Quicker').waitFor();
    assert.deepEqual(kept, ['UpdateTask'], 'the next is sent when the one before was answered');
    await release();
    await becomes(() => titles(second), ['Quicker']);
    assert.deepEqual(await server.titles({ status: 'PENDING' }), ['Quicker']);
    assert.equal(await tick(first, 'Quicker').isChecked(), false);
  });

  await checkAfresh('an answer that was overtaken by newer changes brings nothing old back', async () => {
    const changed = await server.create({ title: 'Before' });
    const deleted = await server.create({ title: 'Deleted' });
    await becomes(() => titles(first), ['Deleted', 'Before']);
    const { kept, release } = await hold(first, 'answers', ['Tasks']);
    await first.getByLabel('Sort').selectOption('Title, A to Z');
    await becomes(async () => kept, ['Tasks']);
    await server.update(changed, { title: 'After' });
    await server.delete(deleted);
    // The feed has told of both by the time they are counted.
    await first.getByText('All 1').waitFor();
    await release();
    await first.locator('ul[aria-busy=false]').waitFor();
    assert.deepEqual(await titles(first), ['After']);
  });

  await checkAfresh('what the server refuses is taken back, with words that help', async () => {
    await server.create({ title: 'Stays' });
    await tick(first, 'Stays').waitFor();
    await refuse(first, 503, { message: 'away', extensions: { code: 'SERVICE_UNAVAILABLE' } });
    await tick(first, 'Stays').click();
    await says(first, 'The server is busy');
    assert.equal(await tick(first, 'Stays').isChecked(), false);
    await first.getByRole('button', { name: 'Delete Stays' }).click();
    await says(first, 'The server is busy');
    await tick(first, 'Stays').waitFor();
    await first.unrouteAll({ behavior: 'ignoreErrors' });
    await first.route('**/graphql', (route) => route.abort('connectionrefused'));
    await add(first, 'Never sent');
    await first.getByText('The server can’t be reached').waitFor();
    assert.equal(await first.getByLabel('Title of the new task').inputValue(), 'Never sent');
    assert.deepEqual(await titles(first), ['Stays']);
    await first.unrouteAll({ behavior: 'ignoreErrors' });
    await first.getByRole('button', { name: 'Add' }).click();
    await becomes(() => titles(second), ['Never sent', 'Stays']);
    await add(first, 'x'.repeat(201));
    await first.getByText('A title has at most 200 characters; this one has 201.').waitFor();
  });

  await checkAfresh('a create whose answer was lost makes one task when it is sent again', async () => {
    await first.route('**/graphql', async (route) => {
      await route.fetch();
      await route.abort('connectionreset');
    });
    await add(first, 'Once');
    await first.getByText('The server can’t be reached').waitFor();
    await first.unrouteAll({ behavior: 'ignoreErrors' });
    await first.getByRole('button', { name: 'Add' }).click();
    await becomes(() => first.getByLabel('Title of the new task').inputValue(), '');
    await says(first, '“Once” was added.');
    assert.deepEqual(await server.titles(), ['Once']);
    assert.deepEqual(await titles(first), ['Once']);
  });

  await checkAfresh('an edit of what was changed elsewhere is a conflict, and can be saved all the same', async () => {
    const id = await server.create({ title: 'Draft' });
    await first.getByRole('button', { name: 'Edit Draft' }).click();
    await server.update(id, { title: 'Theirs' });
    await tick(second, 'Theirs').waitFor();
    const form = first.getByRole('form', { name: /^Edit/ });
    await form.getByLabel('Title').fill('Mine');
    await form.getByRole('button', { name: 'Save' }).click();
    await form.getByText('was changed elsewhere').waitFor();
    assert.deepEqual(await server.titles(), ['Theirs']);
    assert.equal(await form.getByLabel('Title').inputValue(), 'Mine');
    await form.getByRole('button', { name: 'Save' }).click();
    await becomes(() => titles(second), ['Mine']);
    await first.getByRole('button', { name: 'Edit Mine' }).click();
    await server.delete(id);
    await becomes(() => titles(second), []);
    await becomes(() => first.locator('li').count(), 0);
  });

  await checkAfresh('all is done by keyboard alone, and the focus is never lost', async () => {
    const { keyboard } = first;
    const tabTo = async (place) => {
      for (let presses = 0; presses < 40; presses += 1) {
        if (await place.evaluate((element) => element === document.activeElement)) return;
        await keyboard.press('Tab');
      }
      assert.fail(`Tab does not lead to ${place}`);
    };
    await tabTo(first.getByLabel('Title of the new task'));
    for (const title of ['One', 'Two', 'Three']) {
      await keyboard.type(title);
      await keyboard.press('Enter');
      await tick(first, title).waitFor();
    }
    await tabTo(tick(first, 'Two'));
    await keyboard.press('Space');
    await becomes(() => tick(second, 'Two').isChecked(), true);
    await tabTo(first.getByRole('button', { name: 'Edit Two' }));
    await keyboard.press('Enter');
    await keyboard.press('End');
    await keyboard.type(' and a half');
    await keyboard.press('Enter');
    await tick(second, 'Two and a half').waitFor();
    assert.equal(await focused(first), 'Two and a half', 'after an edit the focus is on its task');
    await keyboard.press('Enter');
    await keyboard.press('Escape');
    assert.equal(await focused(first), 'Two and a half', 'after Escape too');
    await tabTo(first.getByRole('button', { name: 'Delete Two and a half' }));
    await keyboard.press('Enter');
    await tick(first, 'Two and a half').waitFor({ state: 'detached' });
    assert.equal(await focused(first), 'One', 'after a deletion the focus is on the next task');
    await tabTo(first.getByRole('button', { name: 'Undo' }));
    await keyboard.press('Enter');
    await tick(first, 'Two and a half').waitFor();
    assert.equal(await focused(first), 'One', 'after bringing it back too');
    await first.getByRole('radio', { name: 'All' }).focus();
    await keyboard.press('ArrowRight');
    await becomes(() => titles(first), ['Three', 'One']);
    await tabTo(tick(first, 'Three'));
    await keyboard.press('Space');
    await becomes(() => titles(first), ['One']);
    assert.equal(await focused(first), 'One', 'after a task has left the list');
  });

  await checkAfresh('a window that was cut off says so, and catches up by itself', async () => {
    let [seen, since] = [];
    second.on('websocket', (socket) => {
      socket.on('framesent', ({ payload }) => {
        const { type, payload: asked } = JSON.parse(payload);
        if (type === 'subscribe') since = asked.variables.since;
      });
      socket.on('framereceived', ({ payload }) => {
        const { type, payload: told } = JSON.parse(payload);
        if (type === 'next' && !isCut) seen = told.data?.taskChanged.syncToken;
      });
    });
    let isCut = false;
    await second.reload();
    await says(second, 'Live');
    const id = await server.create({ title: 'Before' });
    const gone = await server.create({ title: 'Gone' });
    await becomes(() => titles(second), ['Gone', 'Before']);
    line.cut();
    isCut = true;
    await says(second, 'Offline, trying again');
    await add(first, 'While away');
    await server.update(id, { title: 'Changed while away', completed: true });
    await server.delete(gone);
    await becomes(() => titles(first), ['While away', 'Changed while away']);
    assert.deepEqual(await titles(second), ['Gone', 'Before']);
    let lists = 0;
    second.on('request', (request) => {
      if (request.postData()?.includes('query Tasks')) lists += 1;
    });
    line.mend();
    await becomes(() => titles(second), ['While away', 'Changed while away']);
    await says(second, 'Live');
    assert.equal(await tick(second, 'Changed while away').isChecked(), true);
    assert.equal(lists, 0, 'it loaded nothing anew');
    assert.equal(since, seen, 'it went on from the last change that it had seen');
  });

  await checkAfresh('a line that dies without a word is noticed', async () => {
    line.stall();
    await add(first, 'Heard again');
    await says(second, 'Offline, trying again');
    line.mend();
    await becomes(() => titles(second), ['Heard again']);
  });

  await checkAfresh('after the server was killed and started again both windows go on by themselves', async () => {
    await server.kill();
    await Promise.all([says(first, 'Offline, trying again'), says(second, 'Offline, trying again')]);
    await first.getByLabel('Sort').selectOption('Oldest first');
    await first.getByText('The server can’t be reached').waitFor();
    await server.start();
    // At once, while the windows may still be waiting.
    await server.create({ title: 'Made while they were away' });
    for (const page of [first, second]) {
      await becomes(() => titles(page), ['Made while they were away']);
      await says(page, 'Live');
    }
    await add(second, 'And on');
    await becomes(() => titles(first), ['Made while they were away', 'And on']);
  });

  await checkAfresh('where its place in the feed has expired a window loads all anew', async () => {
    await server.create({ title: 'Old' });
    await becomes(() => titles(first), ['Old']);
    await server.kill();
    server.command('migrate', '--new-epoch');
    await server.start();
    await server.create({ title: 'Of the new epoch' });
    for (const page of [first, second]) await becomes(() => titles(page), ['Of the new epoch', 'Old']);
    await add(first, 'Followed again');
    await becomes(() => titles(second), ['Followed again', 'Of the new epoch', 'Old']);
  });

  await checkAfresh('where the token no longer holds a window asks for a fresh one, and goes on with it', async () => {
    await server.create({ title: 'Still here' });
    await becomes(() => titles(first), ['Still here']);
    await server.kill();
    server.forgetSecret();
    await server.start();
    const section = first.getByRole('region', { name: 'Fresh token' });
    await section.waitFor();
    assert.deepEqual(await titles(first), ['Still here']);
    await section.getByLabel('Token').fill(server.token);
    await section.getByRole('button', { name: 'Go on' }).click();
    await says(first, 'Live');
    await section.waitFor({ state: 'detached' });
    await server.create({ title: 'With the fresh token' });
    await becomes(() => titles(first), ['With the fresh token', 'Still here']);
    await refuse(first, 401, { message: 'no', extensions: { code: 'UNAUTHENTICATED' } });
    await tick(first, 'Still here').click();
    await section.getByLabel('Token').fill(newUser('barbara'));
    await first.unrouteAll({ behavior: 'ignoreErrors' });
    await section.getByRole('button', { name: 'Go on' }).click();
    await first.getByText('barbara', { exact: true }).waitFor();
    await first.getByText('Nothing here yet').waitFor();
    // The other window's token is stale, and that of the page is not.
    await second.reload();
    await second.getByText('The token is invalid or has expired').waitFor();
    await second.getByRole('button', { name: 'Sign in' }).click();
    await becomes(() => titles(second), ['With the fresh token', 'Still here']);
  });

  await server.start();
  await server.clear();
  await fill(server);
  for (const colorScheme of ['light', 'dark']) {
    await check(`axe finds no serious fault, ${colorScheme}`, async () => {
      const page = await window({ colorScheme });
      await tick(page, 'Renew passport').waitFor();
      await picture(page, colorScheme);
      const faults = async () => {
        await page.evaluate(axe.source);
        const { violations, passes } = await page.evaluate(() => globalThis.axe.run());
        assert.ok(passes.length > 20, `${passes.length} rules passed`);
        const grave = violations.filter(({ impact }) => impact === 'serious' || impact === 'critical');
        return grave.map(({ id, nodes }) => `${id}: ${nodes.map(({ html }) => html).join(' ')}`);
      };
      assert.deepEqual(await faults(), []);
      await page.getByRole('button', { name: 'Details' }).click();
      await page.getByRole('button', { name: 'Edit Water the plants' }).click();
      assert.deepEqual(await faults(), []);
      await picture(page, `${colorScheme}-edit`);
      await refuse(page, 503, { message: 'away', extensions: { code: 'SERVICE_UNAVAILABLE' } });
      await tick(page, 'Renew passport').click();
      await says(page, 'The server is busy');
      assert.deepEqual(await faults(), []);
      await page.getByRole('button', { name: 'Sign out' }).click();
      assert.deepEqual(await faults(), []);
      await picture(page, `${colorScheme}-sign-in`);
      await page.context().close();
    });
  }

  await check('at 360 pixels nothing sticks out, and buttons are large enough to hit', async () => {
    const page = await window({ viewport: { width: 360, height: 740 }, hasTouch: true, isMobile: true });
    await tick(page, 'Renew passport').waitFor();
    await picture(page, 'phone');
    await page.getByRole('button', { name: 'Edit Water the plants' }).click();
    await picture(page, 'phone-edit');
    assert.equal(await page.evaluate(() => document.documentElement.scrollWidth), 360);
    const small = await page.locator('button, select, input, textarea').evaluateAll((places) =>
      places
        .map((place) => ({ place, box: place.getBoundingClientRect() }))
        .filter(({ box }) => box.width > 0 && (box.width < 24 || box.height < 24))
        .map(({ place }) => place.outerHTML),
    );
    assert.deepEqual(small, []);
    await page.context().close();
  });

  await check('nothing failed in the pages, and nothing offended against their content security policy', async () => {
    const policy = (await fetch(`${server.origin}/app`)).headers.get('content-security-policy');
    assert.match(policy, /default-src 'none'/);
    assert.doesNotMatch(policy, /unsafe/);
    assert.deepEqual(complaints, []);
  });

  line.close();
}

/** A list to look at. */
async function fill(server) {
  const day = (days, hour) => {
    const date = new Date();
    date.setDate(date.getDate() + days);
    date.setHours(hour, 30, 0, 0);
    return date.toISOString();
  };
  const done = [
    await server.create({ title: 'Buy milk' }),
    await server.create({ title: 'Ask Grace for the slides', description: 'And for the recording' }),
  ];
  for (const id of done) await server.update(id, { completed: true });
  await server.create({ title: 'Call the plumber about the kitchen tap', priority: 'MEDIUM', dueDate: day(-1, 9) });
  const description = 'The fern in the hall twice a week';
  await server.create({ title: 'Water the plants', description, dueDate: day(2, 8) });
  await server.create({ title: 'Renew passport', description: 'Photos are in the blue folder', priority: 'LOW' });
  await server.create({ title: 'Write the quarterly report', priority: 'HIGH', dueDate: day(1, 12) });
  await server.create({ title: 'Book a table for Thursday' });
  await server.create({ title: 'Return library books', priority: 'LOW', dueDate: day(5, 16) });
}

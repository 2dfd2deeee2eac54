// How a check is made and told, and what checks wait with.
import assert from 'node:assert/strict';
import { mkdirSync } from 'node:fs';
import { join } from 'node:path';
import { isDeepStrictEqual } from 'node:util';

export const LONGEST_WAIT_MS = 20_000;
const LOOK_AGAIN_MS = 25;

export const results = { passed: 0, failed: 0 };

/** Runs a check, and prints how it went. */
export async function check(name, body) {
  const began = performance.now();
  try {
    await body();
    results.passed += 1;
    console.log(`ok      ${name} (${Math.round(performance.now() - began)} ms)`);
  } catch (error) {
    results.failed += 1;
    console.log(`FAILED  ${name}: ${error.message}`);
  }
}

/** Waits until `look` gives what is expected. */
export async function becomes(look, expected) {
  const deadline = performance.now() + LONGEST_WAIT_MS;
  let seen = await look();
  while (!isDeepStrictEqual(seen, expected) && performance.now() < deadline) {
    await new Promise((resolve) => setTimeout(resolve, LOOK_AGAIN_MS));
    seen = await look();
  }
  assert.deepEqual(seen, expected);
}

/** Takes a picture, where a folder for them is named. */
export async function picture(page, name) {
  const folder = process.env.TASKQL_SCREENSHOTS;
  if (!folder) return;
  mkdirSync(folder, { recursive: true });
  await page.screenshot({ path: join(folder, `${name}.png`) });
}

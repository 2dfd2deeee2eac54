// GraphiQL and the task application in Chromium, on a server of their own: node browser.mjs PATH-OF-TASKQL
// Prints a line a check, and how many passed; ends with 1 unless all did. With TASKQL_SCREENSHOTS=FOLDER it takes
// pictures.
import { existsSync } from 'node:fs';
import { delimiter, join, resolve } from 'node:path';
import { chromium } from 'playwright-core';
import { checkApp } from './app.mjs';
import { results } from './checks.mjs';
import { checkGraphiql } from './graphiql.mjs';
import { Server } from './server.mjs';

const folders = process.env.PATH.split(delimiter);
const executablePath = folders.map((folder) => join(folder, 'chromium')).find((path) => existsSync(path));
if (!executablePath) throw new Error('chromium is missing: apt-get install chromium');

const server = new Server(resolve(process.argv[2]));
await server.start();
// Its sandbox does not work for root.
const args = process.getuid() === 0 ? ['--no-sandbox'] : [];
const browser = await chromium.launch({ executablePath, args: [...args, '--disable-gpu', '--disable-quic'] });
try {
  await checkGraphiql(browser, server);
  await checkApp(browser, server);
} finally {
  await browser.close();
  await server.remove();
}
const { passed, failed } = results;
console.log(`${browser.version ? `Chromium ${browser.version()}: ` : ''}${passed}/${passed + failed} checks passed`);
process.exitCode = failed === 0 ? 0 : 1;

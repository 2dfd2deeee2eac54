// What the page loads from a CDN where it was built without npm. Prints cdn.json from the installed packages, so that
// both ways hold the same versions and the same bytes: node cdn.mjs > cdn.json
import { createHash } from 'node:crypto';
import { readFileSync } from 'node:fs';

const files = {
  scripts: [
    ['react', 'umd/react.production.min.js'],
    ['react-dom', 'umd/react-dom.production.min.js'],
    ['graphiql', 'graphiql.min.js'],
  ],
  styles: [['graphiql', 'graphiql.min.css']],
};

const entry = ([name, file]) => {
  const read = (path) => readFileSync(new URL(`node_modules/${name}/${path}`, import.meta.url));
  const { version } = JSON.parse(read('package.json'));
  const integrity = `sha384-${createHash('sha384').update(read(file)).digest('base64')}`;
  return { url: `https://cdn.jsdelivr.net/npm/${name}@${version}/${file}`, integrity };
};

const entries = Object.fromEntries(Object.entries(files).map(([kind, list]) => [kind, list.map(entry)]));
console.log(JSON.stringify(entries, null, 2));

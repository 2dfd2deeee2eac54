// Makes src/generated/api.ts from the schema and from the documents as the application sends them: node types.mjs
// The overrides in package.json hold the generator's own packages at versions that run on Node 20.
import { mkdirSync, readFileSync, writeFileSync } from 'node:fs';
import { codegen } from '@graphql-codegen/core';
import * as operations from '@graphql-codegen/typescript-operations';
import { build } from 'esbuild';
import { parse } from 'graphql';

const bundle = await build({ entryPoints: ['src/documents.ts'], bundle: true, format: 'esm', write: false });
const code = Buffer.from(bundle.outputFiles[0].contents).toString('base64');
const documents = await import(`data:text/javascript;base64,${code}`);

const filename = 'src/generated/api.ts';
const schema = parse(readFileSync('../../schema.graphql', 'utf8'));
const types = await codegen({
  filename,
  schema,
  documents: Object.entries(documents).map(([location, document]) => ({ location, document })),
  plugins: [{ operations: {} }],
  pluginMap: { operations },
  // Objects carry their type's name, by which the cache knows them.
  config: {
    strictScalars: true,
    scalars: { DateTime: 'string', ID: 'string' },
    nonOptionalTypename: true,
    skipTypeNameForRoot: true,
  },
});
mkdirSync('src/generated', { recursive: true });
writeFileSync(filename, types);

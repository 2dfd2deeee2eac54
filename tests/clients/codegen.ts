// Configuration of GraphQL Code Generator, as a project has it that takes its types from schema.graphql.
import type { CodegenConfig } from '@graphql-codegen/cli';

const config: CodegenConfig = {
  schema: '../../schema.graphql',
  documents: ['support/documents.ts'],
  generates: {
    './generated/codegen/': {
      preset: 'client',
      presetConfig: { fragmentMasking: false },
      config: { strictScalars: true, enumsAsTypes: true, scalars: { DateTime: 'string', ID: 'string' } },
    },
  },
};
export default config;

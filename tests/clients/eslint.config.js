// The rules for schema.graphql: what GraphQL ESLint recommends for schemas, and the Relay specification of connections.
import graphql from '@graphql-eslint/eslint-plugin';

export default [
  {
    files: ['**/*.graphql'],
    plugins: { '@graphql-eslint': graphql },
    languageOptions: {
      parser: graphql.parser,
      parserOptions: { graphQLConfig: { schema: '../../schema.graphql' } },
    },
    rules: {
      ...graphql.configs['flat/schema-recommended'].rules,
      ...graphql.configs['flat/schema-relay'].rules,
      // The server prints short descriptions in quotes and long ones in blocks; the rule wants one form for all.
      '@graphql-eslint/description-style': 'off',
      // What is part of an answer has no id: it is found through the object that it is about.
      '@graphql-eslint/strict-id-in-types': [
        'error',
        {
          exceptions: {
            types: ['PageInfo', 'TaskChange', 'TaskChangePage'],
            suffixes: ['Payload', 'Connection', 'Edge'],
          },
        },
      ],
      // Lists of tasks stand beside the edges for those who need no cursors; nodes and changes are no connections.
      '@graphql-eslint/relay-edge-types': [
        'error',
        { withEdgeSuffix: true, shouldImplementNode: true, listTypeCanWrapOnlyEdgeType: false },
      ],
    },
  },
];

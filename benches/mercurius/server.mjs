// Tasks on Mercurius with its JIT, over taskql's own tables: the part of schema.graphql that the benchmark asks for, as
// Mercurius' and pg's documentation have it. Tokens are checked at each request. Started by scripts/bench; by hand:
//   npm ci && DATABASE_URL=… TASKQL_JWT_SECRET=… NODE_ENV=production node server.mjs
import { randomUUID } from 'node:crypto';
import { createVerifier } from 'fast-jwt';
import Fastify from 'fastify';
import { GraphQLScalarType, Kind } from 'graphql';
import mercurius from 'mercurius';
import pg from 'pg';

const pool = new pg.Pool({ connectionString: process.env.DATABASE_URL, max: 10 });
const verify = createVerifier({
  key: process.env.TASKQL_JWT_SECRET,
  algorithms: ['HS256'],
  requiredClaims: ['exp', 'sub'],
  clockTolerance: 30_000,
});

const schema = `
  scalar DateTime
  enum TaskPriority { LOW MEDIUM HIGH }
  enum TaskStatusFilter { PENDING COMPLETED }

  type Task {
    id: ID!
    title: String!
    description: String
    completed: Boolean!
    priority: TaskPriority
    dueDate: DateTime
    createdAt: DateTime!
    updatedAt: DateTime!
  }

  type TaskConnection { nodes: [Task!]! }

  type Query {
    task(id: ID!): Task
    tasks(status: TaskStatusFilter!, first: Int!): TaskConnection!
  }

  input CreateTaskInput {
    title: String!
    description: String
    priority: TaskPriority
    dueDate: DateTime
  }

  type CreateTaskPayload { task: Task! }
  type ToggleTaskPayload { task: Task! }

  type Mutation {
    createTask(input: CreateTaskInput!): CreateTaskPayload
    toggleTask(id: ID!): ToggleTaskPayload
  }
`;

const DateTime = new GraphQLScalarType({
  name: 'DateTime',
  serialize: (date) => date.toISOString(),
  parseValue: (text) => new Date(text),
  parseLiteral: (node) => (node.kind === Kind.STRING ? new Date(node.value) : null),
});

const columns = `id, title, description, completed, priority, due_date as "dueDate", created_at as "createdAt",
  updated_at as "updatedAt"`;

// A statement that has a name is prepared once on each connection.
const statement = (name, text) => (on, values) => on.query({ name, text, values });
const list = statement(
  'list',
  `select ${columns} from tasks where user_id = $1 and completed = $2 order by created_at desc, id desc limit $3`,
);
const one = statement('one', `select ${columns} from tasks where user_id = $1 and id = $2`);
const takeRevision = statement(
  'revision',
  `insert into users (id, revision, swept_revision, created_at, updated_at) values ($1, 1, 0, $2, $2)
   on conflict (id) do update set revision = users.revision + 1, updated_at = excluded.updated_at returning revision`,
);
const insert = statement(
  'insert',
  `insert into tasks (user_id, id, title, title_key, description, completed, priority, due_date, created_at, updated_at,
     version, revision, created_revision)
   values ($1, $2, $3, $4, $5, false, $6, $7, $8, $8, 1, $9, $9) returning ${columns}`,
);
const turnOver = statement(
  'toggle',
  `update tasks set updated_at = $3, completed_at = case when completed then null else $3::timestamptz end,
     completed = not completed, version = version + 1, revision = $4
   where user_id = $1 and id = $2 returning ${columns}`,
);

// Runs `work` in a transaction that holds the user's row and carries the number of the change.
async function write(userId, work) {
  const client = await pool.connect();
  try {
    const now = new Date();
    await client.query('begin');
    const { revision } = (await takeRevision(client, [userId, now])).rows[0];
    const task = (await work(client, now, revision)).rows[0];
    if (!task) throw new Error('There is no such task.');
    await client.query('commit');
    return { task };
  } catch (error) {
    await client.query('rollback');
    throw error;
  } finally {
    client.release();
  }
}

const resolvers = {
  DateTime,
  Query: {
    async task(_, { id }, { userId }) {
      return (await one(pool, [userId, id])).rows[0];
    },
    async tasks(_, { status, first }, { userId }) {
      return { nodes: (await list(pool, [userId, status === 'COMPLETED', first])).rows };
    },
  },
  Mutation: {
    async createTask(_, { input }, { userId }) {
      const title = input.title.trim();
      if (title.length < 1 || title.length > 200) throw new Error('A title has 1 to 200 characters.');
      const { description, priority, dueDate } = input;
      return write(userId, (client, now, revision) =>
        insert(client, [
          userId,
          randomUUID(),
          title,
          title.toLowerCase(),
          description,
          priority,
          dueDate,
          now,
          revision,
        ]),
      );
    },
    async toggleTask(_, { id }, { userId }) {
      return write(userId, (client, now, revision) => turnOver(client, [userId, id, now, revision]));
    },
  },
};

const app = Fastify();
app.decorateRequest('userId', null);
app.addHook('onRequest', async (request, reply) => {
  try {
    request.userId = verify((request.headers.authorization ?? '').replace('Bearer ', '')).sub;
  } catch {
    return reply.code(401).send();
  }
});
app.register(mercurius, { schema, resolvers, jit: 1, context: ({ userId }) => ({ userId }) });
await app.listen({ host: '127.0.0.1', port: 0 });
console.log(`listening address=127.0.0.1:${app.server.address().port}`);

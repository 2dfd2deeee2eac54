// Reads over the same rows: tasks that are made through the API and fetched once, resolvers over them as simple as can
// be, and random documents that read them.
import { GraphQLError, isLeafType, getNamedType } from 'graphql';

import { Document } from './generate.mjs';

const SORTS = { CREATED: 'DESC', TITLE: 'ASC', DUE_DATE: 'ASC' };
const DIRECTIONS = ['ASC', 'DESC'];
const COUNT = 32;
const TITLES = 'apple,Apple,APPLE,banana,Äpfel,äpfel,zebra,Straße,STRASSE,日本,a b,1,😀,éclair'.split(',');
const DESCRIPTIONS = ['', 'some "text"\n', '日本 \\ 😀', '\u2028</script>\t'];
const DAYS = ['2026-01-01T00:00:00Z', '2026-06-15T12:30:00.123456+02:00', '2027-01-01T00:00:00Z'];
const ABSENT = '00000000-0000-4000-8000-000000000000';

/** What is read: fields of the root, and fields that lead on. */
const ROOTS = new Set(['viewer', 'task', 'tasks', 'node', 'nodes']);
const RELATIONS = new Set(['owner', 'edges', 'nodes', 'node', 'pageInfo']);
/** Fields whose values cannot be known here; they have tests of their own. */
const OPAQUE = new Set(['syncToken']);

/** Makes tasks of all sorts and fetches them. */
export async function prepare(server, token, schema, random) {
  for (let nth = 0; nth < COUNT; nth += 1) {
    const input = { title: random.pick(TITLES) };
    if (random.chance(0.6)) input.priority = random.pick(['LOW', 'MEDIUM', 'HIGH']);
    if (random.chance(0.6)) input.dueDate = random.pick(DAYS);
    if (random.chance(0.5)) input.description = random.pick(DESCRIPTIONS);
    const create = 'mutation ($input: CreateTaskInput!) { createTask(input: $input) { task { id } } }';
    const made = await server.data(token, create, { input });
    if (!random.chance(0.4)) continue;
    const complete = 'mutation ($id: ID!) { updateTask(id: $id, input: {completed: true}) { task { id } } }';
    await server.data(token, complete, { id: made.createTask.task.id });
  }
  const leaves = (type) => {
    const fields = Object.values(schema.getType(type).getFields());
    return fields.filter((field) => isLeafType(getNamedType(field.type))).map(({ name }) => name);
  };
  const fetched = `{ viewer { ${leaves('User')} } tasks(first: 100) { nodes { ${leaves('Task')} } } }`;
  const { viewer, tasks } = await server.data(token, fetched);
  const cursors = {};
  for (const sortBy of Object.keys(SORTS)) {
    for (const direction of DIRECTIONS) {
      const order = `sortBy: ${sortBy}, direction: ${direction}`;
      const page = await server.data(token, `{ tasks(${order}, first: 100) { edges { cursor node { id } } } }`);
      cursors[`${sortBy} ${direction}`] = new Map(page.tasks.edges.map(({ cursor, node }) => [node.id, cursor]));
    }
  }
  return { viewer, tasks: tasks.nodes, cursors };
}

/** Compares as taskql sorts titles: full case folding, bytewise. */
const folded = (title) => Buffer.from(title.replaceAll('ß', 'ss').toLowerCase().replaceAll('ß', 'ss'));

const KEYS = {
  CREATED: (one, other) => (one.createdAt < other.createdAt ? -1 : one.createdAt > other.createdAt ? 1 : 0),
  TITLE: (one, other) => Buffer.compare(folded(one.title), folded(other.title)),
  DUE_DATE: (one, other) => (one.dueDate < other.dueDate ? -1 : one.dueDate > other.dueDate ? 1 : 0),
};

/** The list that the arguments ask for. */
function ordered(tasks, { status, sortBy, direction }) {
  const wanted = { ALL: () => true, PENDING: (task) => !task.completed, COMPLETED: (task) => task.completed };
  const sign = direction === 'ASC' ? 1 : -1;
  const compare = (one, other) => {
    const isLast = (task) => sortBy === 'DUE_DATE' && task.dueDate === null;
    if (isLast(one) !== isLast(other)) return isLast(one) ? 1 : -1;
    const order = isLast(one) ? 0 : KEYS[sortBy](one, other);
    return sign * (order || (one.id < other.id ? -1 : 1));
  };
  return tasks.filter(wanted[status ?? 'ALL']).sort(compare);
}

function refused(code) {
  return new GraphQLError('refused', { extensions: { code } });
}

/** The root value for graphql-js over these rows. */
export function roots({ viewer, tasks, cursors }) {
  const user = { __typename: 'User', ...viewer };
  const all = tasks.map((task) => ({ __typename: 'Task', ...task, owner: user }));
  const find = (id) => all.find((task) => task.id === id.toLowerCase());
  const node = (id) => (id === viewer.id ? user : (find(id) ?? null));
  const connection = ({ status, sortBy: sort, direction: way, first, after, last, before }) => {
    const sortBy = sort ?? 'CREATED';
    const direction = way ?? SORTS[sortBy];
    const isForward = (first ?? after) != null;
    const isBackward = (last ?? before) != null;
    const isSize = (size) => size == null || (size >= 0 && size <= 100);
    const from = after ?? before;
    const known = cursors[`${sortBy} ${direction}`];
    const [fromId] = [...known].find(([, cursor]) => cursor === from) ?? [];
    if ((isForward && isBackward) || !isSize(first) || !isSize(last) || (from != null && !fromId)) {
      throw refused('BAD_USER_INPUT');
    }
    const matching = ordered(all, { status, sortBy, direction });
    // A cursor outlives a change of the status: its task need not be in the list.
    const at = from == null ? undefined : ordered(all, { sortBy, direction }).findIndex((task) => task.id === fromId);
    const place = (task) => ordered(all, { sortBy, direction }).indexOf(task);
    const rest = matching.filter((task) => at === undefined || (isBackward ? place(task) < at : place(task) > at));
    const size = first ?? last ?? 50;
    const page = isBackward ? rest.slice(Math.max(0, rest.length - size)) : rest.slice(0, size);
    const hasMore = rest.length > size;
    const edges = page.map((task) => ({ cursor: known.get(task.id), node: task }));
    return {
      edges,
      nodes: page,
      totalCount: matching.length,
      pageInfo: {
        hasNextPage: isBackward ? from != null : hasMore,
        hasPreviousPage: isBackward ? hasMore : from != null,
        startCursor: edges[0]?.cursor ?? null,
        endCursor: edges.at(-1)?.cursor ?? null,
      },
    };
  };
  return {
    viewer: user,
    task({ id }) {
      const found = find(id);
      if (!found) throw refused('NOT_FOUND');
      return found;
    },
    tasks: connection,
    node: ({ id }) => node(id),
    nodes: ({ ids }) => ids.map(node),
  };
}

/** A random document that reads rows. */
export class Read extends Document {
  constructor(schema, random, rows) {
    super(schema, random);
    this.rows = rows;
    this.asksForSchema = false;
    this.rooms.selections = 60;
  }

  kind() {
    return 'query';
  }

  /** What the resolvers above know, of whichever version the schema is. */
  fieldsOf(type) {
    const isLeaf = (field) => isLeafType(getNamedType(field.type)) && !OPAQUE.has(field.name);
    const known = type === this.schema.getQueryType() ? ROOTS : RELATIONS;
    return super.fieldsOf(type).filter((field) => known.has(field.name) || isLeaf(field));
  }

  /** Lists get arguments that fit together, mostly; ids are mostly those of rows. */
  argumentsOf(field) {
    const { random, rows } = this;
    const id = () => JSON.stringify(random.pick([...rows.tasks.map((task) => task.id), rows.viewer.id, ABSENT, 'x']));
    const given = new Map();
    const give = (name, ...tokens) => given.set(name, () => this.emit(...tokens));
    for (const { name, type } of field.args) {
      const isVariable = random.chance(0.15);
      if (isVariable && ['id', 'ids'].includes(name)) given.set(name, () => this.value(type, false));
      else if (name === 'id') give(name, id());
      else if (name === 'ids') give(name, '[', ...Array.from({ length: random.below(5) }, id), ']');
      else if (isVariable && ['first', 'last', 'status'].includes(name)) given.set(name, () => this.value(type, false));
    }
    if (field.name === 'tasks') this.#page(give);
    return given;
  }

  #page(give) {
    const { random, rows } = this;
    if (random.chance(0.4)) give('status', random.pick(['ALL', 'PENDING', 'COMPLETED', 'null']));
    const sortBy = random.chance(0.7) ? random.pick(Object.keys(SORTS)) : undefined;
    const direction = random.chance(0.5) ? random.pick(DIRECTIONS) : undefined;
    if (sortBy) give('sortBy', sortBy);
    if (direction) give('direction', direction);
    const cursors = rows.cursors[`${sortBy ?? 'CREATED'} ${direction ?? SORTS[sortBy ?? 'CREATED']}`];
    const [size, from] = random.pick([
      ['first', 'after'],
      ['last', 'before'],
    ]);
    if (random.chance(0.7)) give(size, random.pick(['0', '1', '3', '10', '50', '100']));
    if (random.chance(0.4)) give(from, JSON.stringify(random.pick([...cursors.values()])));
    if (random.chance(0.06)) give(random.pick(['first', 'last', 'after']), random.pick(['101', '-1', 'null']));
  }
}

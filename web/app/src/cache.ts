// What the application knows: the tasks, and for each filter and order the list of those that it has met. A list is
// filtered and sorted whenever it is read, so a task that changes takes its new place in all of them by itself.
import { InMemoryCache, type ApolloCache, type FieldFunctionOptions, type Reference } from '@apollo/client';
import { TASK } from './documents';
import type { TaskFragment, TasksQuery, TasksQueryVariables, TaskSort } from './generated/api';

export type Task = TaskFragment;
export type Filter = Pick<TasksQueryVariables, 'status' | 'sortBy' | 'direction'>;

/** Where a task stands in an order. */
interface Place {
  isUndated: boolean;
  key: string;
  id: string;
}

/** A list as the cache keeps it: tasks in no order, and how far the pages reach that were loaded. */
interface List extends Omit<TasksQuery['tasks'], 'nodes'> {
  nodes: readonly Reference[];
  end: Place | null;
}

type Arguments = Partial<TasksQueryVariables> | null;
type Options = Pick<FieldFunctionOptions, 'readField' | 'canRead'> & { args: Arguments };

/** Tasks that were deleted: an answer that was on its way at that time must not bring them back. */
const gone = new Set<string>();

/** For when all is loaded anew, maybe from a backup in which they are there again. */
export function forgetDeletions(): void {
  gone.clear();
}

export function createCache(): InMemoryCache {
  return new InMemoryCache({
    typePolicies: { Query: { fields: { tasks: { keyArgs: ['status', 'sortBy', 'direction'], merge, read } } } },
  });
}

function merge(existing: List | undefined, incoming: List, { args, readField }: Options): List {
  const before = args?.after ? existing : undefined;
  const ids = new Set((before?.nodes ?? []).concat(incoming.nodes).map((node) => node.__ref));
  let end = before?.end ?? null;
  for (const node of incoming.nodes) {
    const place = placeOf(node, args, readField);
    if (end === null || compare(place, end, args) > 0) end = place;
  }
  return { ...incoming, nodes: [...ids].map((__ref) => ({ __ref })), end };
}

/** The tasks that belong to the list, in order, as far as it was loaded; what lies behind comes with its page. */
function read(list: List | undefined, { args, readField, canRead }: Options): List | undefined {
  if (!list) return undefined;
  const belongs = (node: Reference): boolean => {
    if (!canRead(node) || gone.has(readField<string>('id', node) ?? '')) return false;
    return args?.status === 'ALL' || readField('completed', node) === (args?.status === 'COMPLETED');
  };
  const placed = list.nodes.filter(belongs).map((node) => ({ node, place: placeOf(node, args, readField) }));
  const { end, pageInfo } = list;
  const isLoaded = (place: Place) => !pageInfo.hasNextPage || (end !== null && compare(place, end, args) <= 0);
  const loaded = placed.filter(({ place }) => isLoaded(place));
  loaded.sort((a, b) => compare(a.place, b.place, args));
  return { ...list, nodes: loaded.map(({ node }) => node) };
}

function placeOf(node: Reference, args: Arguments, readField: Options['readField']): Place {
  const field: Record<TaskSort, string> = { CREATED: 'createdAt', TITLE: 'title', DUE_DATE: 'dueDate' };
  const sortBy = args?.sortBy ?? 'CREATED';
  const value = readField<string | null>(field[sortBy], node) ?? null;
  // Upper case first: so that "ß" and "SS" fall together, as they do on the server.
  const key = sortBy === 'TITLE' ? value?.toUpperCase().toLowerCase() : value;
  return { isUndated: value === null, key: key ?? '', id: readField<string>('id', node) ?? '' };
}

/** The server's order: ties by id in the same direction, tasks without a due date last in either. */
function compare(a: Place, b: Place, args: Arguments): number {
  if (a.isUndated !== b.isUndated) return a.isUndated ? 1 : -1;
  const order = a.key === b.key ? (a.id < b.id ? -1 : Number(a.id > b.id)) : a.key < b.key ? -1 : 1;
  return args?.direction === 'DESC' ? -order : order;
}

/** Has the task in every list; each shows it if it belongs there. */
export function addToLists(cache: ApolloCache, task: Task): void {
  const __ref = cacheId(cache, task.id);
  changeLists(cache, (nodes) => (nodes.some((node) => node.__ref === __ref) ? nodes : [...nodes, { __ref }]));
}

export function removeFromLists(cache: ApolloCache, id: string): void {
  const __ref = cacheId(cache, id);
  changeLists(cache, (nodes) => nodes.filter((node) => node.__ref !== __ref));
}

function cacheId(cache: ApolloCache, id: string): string {
  return cache.identify({ __typename: 'Task', id }) ?? '';
}

function changeLists(cache: ApolloCache, change: (nodes: List['nodes']) => List['nodes']): void {
  cache.modify<Record<'tasks', List>>({
    fields: {
      tasks(stored) {
        const list = stored as List;
        const nodes = change(list.nodes);
        return nodes === list.nodes ? list : { ...list, nodes };
      },
    },
  });
}

/** Puts what the change feed tells. */
export function putTask(cache: ApolloCache, task: Task): void {
  cache.writeFragment({ fragment: TASK, data: newest(cache, task) });
  addToLists(cache, task);
}

/** Forgets a task that was deleted. */
export function forgetTask(cache: ApolloCache, id: string): void {
  gone.add(id);
  removeFromLists(cache, id);
  cache.evict({ id: cacheId(cache, id) });
  cache.gc();
}

/** An answer in which no task is older than what is known already: answers can be overtaken by the change feed. */
export function newest<T>(cache: ApolloCache, value: T): T {
  if (Array.isArray(value)) return value.map((item: unknown) => newest(cache, item)) as T;
  if (typeof value !== 'object' || value === null) return value;
  if (isTask(value)) {
    const known = cache.readFragment({ fragment: TASK, id: cacheId(cache, value.id) });
    return known && known.version > value.version ? (known as T) : value;
  }
  return Object.fromEntries(Object.entries(value).map(([name, item]) => [name, newest(cache, item)])) as T;
}

function isTask(value: object): value is Task {
  return '__typename' in value && value.__typename === 'Task';
}

// What a user can do to tasks. Each shows at once what it will come to, and takes that back where the server refuses.
import type { ApolloClient } from '@apollo/client';
import { addToLists, forgetTask, removeFromLists, type Task } from './cache';
import { CREATE, DELETE, UPDATE } from './documents';
import type { CreateTaskInput, TaskPriority, UpdateTaskInput } from './generated/api';
import { fromField, hasCode, instant, toField } from './words';

/** A task as it is being written, in the terms of form fields. */
export interface Draft {
  title: string;
  description: string;
  priority: TaskPriority | '';
  due: string;
}

export const EMPTY: Draft = { title: '', description: '', priority: '', due: '' };

export function draftOf(task: Task): Draft {
  const { title, description, priority, dueDate } = task;
  return { title, description: description ?? '', priority: priority ?? '', due: toField(dueDate) };
}

function inputOf(draft: Draft) {
  return {
    title: draft.title.trim(),
    description: draft.description === '' ? null : draft.description,
    priority: draft.priority === '' ? null : draft.priority,
    dueDate: fromField(draft.due),
  };
}

/** Makes a task. Sent again with the same id it stays one task. */
export async function create(client: ApolloClient, id: string, draft: Draft): Promise<void> {
  await createFrom(client, { id, ...inputOf(draft) });
}

/** Makes a deleted task once more. Its id is spent, so it gets a new one. */
export async function restore(client: ApolloClient, task: Task): Promise<void> {
  const { title, description, priority, dueDate, completed } = task;
  const id = crypto.randomUUID();
  await createFrom(client, { id, title, description, priority, dueDate });
  if (completed) await client.mutate({ mutation: UPDATE, variables: { id, input: { completed } } });
}

async function createFrom(client: ApolloClient, input: CreateTaskInput & { id: string }): Promise<void> {
  const now = instant(new Date());
  const { id, title, description = null, priority = null, dueDate = null } = input;
  await client.mutate({
    mutation: CREATE,
    variables: { input },
    optimisticResponse: {
      createTask: {
        __typename: 'CreateTaskPayload',
        task: {
          ...{ __typename: 'Task', id, title, description, priority, dueDate, completed: false, completedAt: null },
          ...{ createdAt: now, updatedAt: now, version: 1 },
        },
      },
    },
    update: (cache, { data }) => {
      if (data?.createTask) addToLists(cache, data.createTask.task);
    },
  });
}

export async function setCompleted(client: ApolloClient, task: Task, completed: boolean): Promise<void> {
  await update(client, task, { completed }, { completed, completedAt: completed ? instant(new Date()) : null });
}

/** Saves what the draft alters, on condition that nobody changed the task since `version`. */
export async function edit(client: ApolloClient, task: Task, draft: Draft, version: number): Promise<void> {
  const [before, after] = [draftOf(task), inputOf(draft)];
  const altered: Partial<typeof after> = {};
  if (after.title !== before.title) altered.title = after.title;
  if (draft.description !== before.description) altered.description = after.description;
  if (draft.priority !== before.priority) altered.priority = after.priority;
  if (draft.due !== before.due) altered.dueDate = after.dueDate;
  if (Object.keys(altered).length > 0) await update(client, task, altered, altered, version);
}

async function update(
  client: ApolloClient,
  task: Task,
  input: UpdateTaskInput,
  outcome: Partial<Task>,
  expectedVersion?: number,
): Promise<void> {
  const expected = { ...task, ...outcome, version: task.version + 1 };
  const mutation = client.mutate({
    mutation: UPDATE,
    variables: { id: task.id, input, expectedVersion: expectedVersion ?? null },
    optimisticResponse: { updateTask: { __typename: 'UpdateTaskPayload', task: expected } },
    update: (cache, { data }) => {
      if (data?.updateTask) addToLists(cache, data.updateTask.task);
    },
  });
  await mutation.catch((error: unknown) => {
    if (hasCode(error, 'NOT_FOUND')) forgetTask(client.cache, task.id);
    throw error;
  });
}

export async function remove(client: ApolloClient, id: string): Promise<void> {
  const mutation = client.mutate({
    mutation: DELETE,
    variables: { id },
    optimisticResponse: { deleteTask: { __typename: 'DeleteTaskPayload', deletedTaskId: id } },
    update: (cache) => removeFromLists(cache, id),
  });
  await mutation.catch((error: unknown) => {
    // Somebody was faster.
    if (!hasCode(error, 'NOT_FOUND')) throw error;
  });
  forgetTask(client.cache, id);
}

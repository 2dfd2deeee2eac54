// What the application says: errors by their code, dates, names.
import { CombinedGraphQLErrors, ServerError } from '@apollo/client';
import type { GraphQLFormattedError } from 'graphql';
import type { Filter } from './cache';
import type { TaskPriority, TaskStatusFilter } from './generated/api';
import type { Connection } from './session';

export const PRIORITIES: Record<TaskPriority, string> = { HIGH: 'High', MEDIUM: 'Medium', LOW: 'Low' };
export const STATUSES: Record<TaskStatusFilter, string> = { ALL: 'All', PENDING: 'Pending', COMPLETED: 'Completed' };
export const NOTHING: Record<TaskStatusFilter, string> = {
  ALL: 'Nothing here yet. Write your first task above.',
  PENDING: 'Nothing left to do.',
  COMPLETED: 'Nothing completed yet.',
};
export const ORDERS: readonly { label: string; by: Pick<Filter, 'sortBy' | 'direction'> }[] = [
  { label: 'Newest first', by: { sortBy: 'CREATED', direction: 'DESC' } },
  { label: 'Oldest first', by: { sortBy: 'CREATED', direction: 'ASC' } },
  { label: 'Title, A to Z', by: { sortBy: 'TITLE', direction: 'ASC' } },
  { label: 'Title, Z to A', by: { sortBy: 'TITLE', direction: 'DESC' } },
  { label: 'Due date, soonest first', by: { sortBy: 'DUE_DATE', direction: 'ASC' } },
  { label: 'Due date, latest first', by: { sortBy: 'DUE_DATE', direction: 'DESC' } },
];
export const CONNECTIONS: Record<Connection, string> = {
  connecting: 'Connecting …',
  live: 'Live',
  offline: 'Offline, trying again',
  'token-needed': 'A fresh token is needed',
};

function errorsOf(error: unknown): readonly GraphQLFormattedError[] {
  if (CombinedGraphQLErrors.is(error)) return error.errors;
  return Array.isArray(error) ? (error as readonly GraphQLFormattedError[]) : [];
}

/** Whether the server refused with this code. */
export function hasCode(error: unknown, code: string): boolean {
  return errorsOf(error).some((one) => one.extensions?.code === code);
}

/** The version that a CONFLICT tells. */
export function currentVersion(error: unknown): number | undefined {
  const version = errorsOf(error)[0]?.extensions?.currentVersion;
  return typeof version === 'number' ? version : undefined;
}

/** What went wrong, and what helps. */
export function explain(error: unknown): string {
  const [first] = errorsOf(error);
  if (!first) {
    if (ServerError.is(error)) return `The server refused (status ${error.statusCode}). Try again in a moment.`;
    return 'The server can’t be reached. Try again in a moment.';
  }
  const { code, problems, requestId } = first.extensions ?? {};
  switch (code) {
    case 'BAD_USER_INPUT':
      return messages(problems) || first.message;
    case 'NOT_FOUND':
      return 'This task was deleted elsewhere.';
    case 'CONFLICT':
      return 'This task was changed elsewhere while you were editing. Save again to keep what you wrote.';
    case 'UNAUTHENTICATED':
      return 'The token is invalid or has expired. Paste a fresh one.';
    case 'RATE_LIMITED':
      return 'That was too much for one minute. Wait a moment, then try again.';
    case 'SERVICE_UNAVAILABLE':
      return 'The server is busy. Try again in a moment.';
    case 'INTERNAL_SERVER_ERROR':
      return `The server failed. Its log tells more about request ${String(requestId)}.`;
    default:
      return first.message;
  }
}

function messages(problems: unknown): string {
  if (!Array.isArray(problems)) return '';
  return problems.map((problem: { message?: string }) => problem.message ?? '').join(' ');
}

const DAY_MS = 24 * 60 * 60 * 1000;
const time = new Intl.DateTimeFormat(undefined, { timeStyle: 'short' });
const dayThisYear = new Intl.DateTimeFormat(undefined, { weekday: 'short', day: 'numeric', month: 'short' });
const dayOfAnyYear = new Intl.DateTimeFormat(undefined, { dateStyle: 'medium' });
const midnight = (date: Date) => new Date(date).setHours(0, 0, 0, 0);

/** "Today, 17:30", in the reader's own format. */
export function dueLabel(dueDate: string): string {
  const [due, now] = [new Date(dueDate), new Date()];
  const near: Record<number, string> = { [-1]: 'Yesterday', 0: 'Today', 1: 'Tomorrow' };
  const days = Math.round((midnight(due) - midnight(now)) / DAY_MS);
  const day = due.getFullYear() === now.getFullYear() ? dayThisYear : dayOfAnyYear;
  return `${near[days] ?? day.format(due)}, ${time.format(due)}`;
}

/** An instant as a datetime-local field has it: local time, to the minute. */
export function toField(instant: string | null): string {
  if (instant === null) return '';
  const date = new Date(instant);
  return new Date(date.getTime() - date.getTimezoneOffset() * 60_000).toISOString().slice(0, 16);
}

export function fromField(field: string): string | null {
  return field === '' ? null : instant(new Date(field));
}

/** An instant as the server writes it, with six fraction digits, so that texts sort by time. */
export function instant(date: Date): string {
  return date.toISOString().replace('Z', '000Z');
}

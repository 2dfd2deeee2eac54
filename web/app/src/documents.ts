// Everything the application asks of the API. types.mjs makes the types from these documents.
import { gql, type TypedDocumentNode } from '@apollo/client';
import type * as Api from './generated/api';

/** All that the application knows of a task. Every document asks for all of it, so none leaves a task half known. */
export const TASK: TypedDocumentNode<Api.TaskFragment> = gql`
  fragment Task on Task {
    id
    title
    description
    completed
    completedAt
    priority
    dueDate
    createdAt
    updatedAt
    version
  }
`;

/** Who the token speaks for, and the place in the change feed from which to follow. */
export const START: TypedDocumentNode<Api.StartQuery, Api.StartQueryVariables> = gql`
  query Start {
    viewer {
      id
      email
      name
    }
    tasks(first: 0) {
      syncToken
    }
  }
`;

export const TASKS: TypedDocumentNode<Api.TasksQuery, Api.TasksQueryVariables> = gql`
  query Tasks($status: TaskStatusFilter!, $sortBy: TaskSort!, $direction: SortDirection!, $after: String) {
    tasks(status: $status, sortBy: $sortBy, direction: $direction, first: 30, after: $after) {
      nodes {
        ...Task
      }
      pageInfo {
        hasNextPage
        endCursor
      }
    }
  }
  ${TASK}
`;

export const COUNTS: TypedDocumentNode<Api.CountsQuery, Api.CountsQueryVariables> = gql`
  query Counts {
    ALL: tasks(first: 0) {
      totalCount
    }
    PENDING: tasks(status: PENDING, first: 0) {
      totalCount
    }
    COMPLETED: tasks(status: COMPLETED, first: 0) {
      totalCount
    }
  }
`;

export const CREATE: TypedDocumentNode<Api.CreateTaskMutation, Api.CreateTaskMutationVariables> = gql`
  mutation CreateTask($input: CreateTaskInput!) {
    createTask(input: $input) {
      task {
        ...Task
      }
    }
  }
  ${TASK}
`;

export const UPDATE: TypedDocumentNode<Api.UpdateTaskMutation, Api.UpdateTaskMutationVariables> = gql`
  mutation UpdateTask($id: ID!, $input: UpdateTaskInput!, $expectedVersion: Int) {
    updateTask(id: $id, input: $input, expectedVersion: $expectedVersion) {
      task {
        ...Task
      }
    }
  }
  ${TASK}
`;

export const DELETE: TypedDocumentNode<Api.DeleteTaskMutation, Api.DeleteTaskMutationVariables> = gql`
  mutation DeleteTask($id: ID!) {
    deleteTask(id: $id) {
      deletedTaskId
    }
  }
`;

export const CHANGES: TypedDocumentNode<Api.ChangesSubscription, Api.ChangesSubscriptionVariables> = gql`
  subscription Changes($since: String) {
    taskChanged(since: $since) {
      kind
      taskId
      task {
        ...Task
      }
      syncToken
    }
  }
  ${TASK}
`;

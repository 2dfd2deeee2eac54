// The documents that the tests of several clients share. Their types are generated from them by codegen.ts.
import { graphql } from '../generated/codegen/index.js';

export const TaskFields = graphql(`
  fragment TaskFields on Task {
    id
    title
    description
    completed
    priority
    dueDate
    updatedAt
    version
  }
`);

export const PageDocument = graphql(`
  query Page(
    $status: TaskStatusFilter
    $sortBy: TaskSort
    $direction: SortDirection
    $first: Int
    $after: String
    $last: Int
    $before: String
  ) {
    tasks(
      status: $status
      sortBy: $sortBy
      direction: $direction
      first: $first
      after: $after
      last: $last
      before: $before
    ) {
      totalCount
      edges {
        cursor
        node {
          ...TaskFields
        }
      }
      pageInfo {
        hasNextPage
        hasPreviousPage
        startCursor
        endCursor
      }
    }
  }
`);

/** Without totalCount: urql's relayPagination leaves out what is not in the Relay specification. */
export const EdgesDocument = graphql(`
  query Edges($direction: SortDirection, $first: Int, $after: String, $last: Int, $before: String) {
    tasks(direction: $direction, first: $first, after: $after, last: $last, before: $before) {
      edges {
        cursor
        node {
          ...TaskFields
        }
      }
      pageInfo {
        hasNextPage
        hasPreviousPage
        startCursor
        endCursor
      }
    }
  }
`);

export const TaskDocument = graphql(`
  query Task($id: ID!) {
    task(id: $id) {
      ...TaskFields
    }
  }
`);

export const SyncTokenDocument = graphql(`
  query SyncToken {
    tasks(first: 0) {
      syncToken
    }
  }
`);

export const CreateTaskDocument = graphql(`
  mutation CreateTask($input: CreateTaskInput!) {
    createTask(input: $input) {
      task {
        ...TaskFields
      }
    }
  }
`);

export const UpdateTaskDocument = graphql(`
  mutation UpdateTask($id: ID!, $input: UpdateTaskInput!, $expectedVersion: Int) {
    updateTask(id: $id, input: $input, expectedVersion: $expectedVersion) {
      task {
        ...TaskFields
      }
    }
  }
`);

export const DeleteTaskDocument = graphql(`
  mutation DeleteTask($id: ID!) {
    deleteTask(id: $id) {
      deletedTaskId
    }
  }
`);

export const TaskChangedDocument = graphql(`
  subscription TaskChanged($since: String) {
    taskChanged(since: $since) {
      kind
      taskId
      task {
        ...TaskFields
      }
      syncToken
    }
  }
`);

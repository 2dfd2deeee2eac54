// What the Relay test asks for. The compiler reads the templates here and writes an artifact of each, which the test
// imports as Relay's Babel plugin would; this module itself is never loaded.
import { graphql } from 'relay-runtime';

graphql`
  fragment tasks_item on Task @refetchable(queryName: "tasksItemRefetchQuery") {
    id
    title
    completed
    dueDate
    version
  }
`;

graphql`
  fragment tasks_list on Query
  @refetchable(queryName: "tasksListPageQuery")
  @argumentDefinitions(
    first: { type: "Int" }
    after: { type: "String" }
    last: { type: "Int" }
    before: { type: "String" }
  ) {
    tasks(direction: ASC, first: $first, after: $after, last: $last, before: $before)
      @connection(key: "tasks_list_tasks") {
      __id
      edges {
        node {
          title
          ...tasks_item
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
`;

graphql`
  query tasksListQuery($first: Int, $last: Int) {
    ...tasks_list @arguments(first: $first, last: $last)
  }
`;

graphql`
  query tasksItemQuery($id: ID!) {
    task(id: $id) {
      ...tasks_item
    }
  }
`;

graphql`
  mutation tasksCreateMutation($input: CreateTaskInput!, $connections: [ID!]!) {
    createTask(input: $input) {
      task @appendNode(connections: $connections, edgeTypeName: "TaskEdge") {
        title
        ...tasks_item
      }
    }
  }
`;

graphql`
  mutation tasksUpdateMutation($id: ID!, $input: UpdateTaskInput!, $expectedVersion: Int) @raw_response_type {
    updateTask(id: $id, input: $input, expectedVersion: $expectedVersion) {
      task {
        ...tasks_item
      }
    }
  }
`;

graphql`
  mutation tasksDeleteMutation($id: ID!) {
    deleteTask(id: $id) {
      deletedTaskId @deleteRecord
    }
  }
`;

graphql`
  subscription tasksChangedSubscription($since: String) {
    taskChanged(since: $since) {
      kind
      task {
        ...tasks_item
      }
      syncToken
    }
  }
`;

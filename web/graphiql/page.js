// The page itself. It runs bundled with its libraries, or after they came from a CDN; so they are globals.
const { GraphiQL, React, ReactDOM } = globalThis;
const { token } = JSON.parse(document.getElementById('config').textContent);

const headers = token ? JSON.stringify({ Authorization: `Bearer ${token}` }, null, 2) : '{\n  "Authorization": "Bearer "\n}';

const examples = [
  `# Run it with Ctrl-Enter. The token under Headers says who you are.
query PendingTasks {
  viewer {
    id
  }
  tasks(status: PENDING, first: 20) {
    totalCount
    nodes {
      id
      title
      completed
      priority
      dueDate
      version
    }
    pageInfo {
      hasNextPage
      endCursor
    }
  }
}
`,
  `mutation AddTask {
  createTask(input: { title: "Buy milk", priority: HIGH }) {
    task {
      id
      title
      createdAt
    }
  }
}
`,
  `# Put a task's id under Variables.
mutation CompleteTask($id: ID!) {
  updateTask(id: $id, input: { completed: true }) {
    task {
      id
      completed
      completedAt
      version
    }
  }
}
`,
];

async function fetcher(request, { headers: fromEditor = {} } = {}) {
  const response = await fetch('/graphql', {
    method: 'POST',
    headers: {
      Accept: 'application/graphql-response+json, application/json;q=0.9',
      'Content-Type': 'application/json',
      ...fromEditor,
    },
    body: JSON.stringify(request),
  });
  return response.json();
}

const variables = [undefined, undefined, '{\n  "id": ""\n}'];

ReactDOM.createRoot(document.getElementById('graphiql')).render(
  React.createElement(GraphiQL, {
    fetcher,
    defaultEditorToolsVisibility: 'headers',
    defaultHeaders: headers,
    defaultTabs: examples.map((query, nth) => ({ query, headers, variables: variables[nth] })),
  }),
);

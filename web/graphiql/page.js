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
  `# Run it, then change a task in another window. The same button stops it.
subscription FollowTasks {
  taskChanged {
    kind
    taskId
    task {
      title
      completed
      version
    }
    syncToken
  }
}
`,
];

function post(request, headers, signal) {
  return fetch('/graphql', {
    method: 'POST',
    headers: { 'Content-Type': 'application/json', ...headers },
    body: JSON.stringify(request),
    signal,
  });
}

async function run(request, headers) {
  const accept = 'application/graphql-response+json, application/json;q=0.9';
  const response = await post(request, { Accept: accept, ...headers });
  return response.json();
}

// The results of a subscription, which come as server-sent events ("distinct connections" of graphql-sse).
async function* results(request, headers, signal) {
  try {
    const response = await post(request, { Accept: 'text/event-stream', ...headers }, signal);
    if (!response.headers.get('Content-Type')?.startsWith('text/event-stream')) {
      // It was refused.
      yield await response.json();
      return;
    }
    const reader = response.body.pipeThrough(new TextDecoderStream()).getReader();
    for (let text = '', chunk; !(chunk = await reader.read()).done; ) {
      const events = (text + chunk.value).split('\n\n');
      text = events.pop();
      for (const event of events) {
        const lines = event.split('\n');
        if (lines.includes('event: complete')) return;
        const data = lines.find((line) => line.startsWith('data: '));
        if (lines.includes('event: next')) yield JSON.parse(data.slice('data: '.length));
      }
    }
  } catch (error) {
    if (!signal.aborted) throw error;
  }
}

function subscribe(request, headers) {
  const stop = new AbortController();
  // A generator that waits does not hear its own return(), and "Stop" must end the request at once.
  return Object.assign(results(request, headers, stop.signal), {
    async return() {
      stop.abort();
      return { done: true };
    },
  });
}

function isSubscription({ operationName }, documentAST) {
  const operations = documentAST?.definitions.filter(({ kind }) => kind === 'OperationDefinition') ?? [];
  const operation = operations.find(({ name }) => !operationName || name?.value === operationName);
  return operation?.operation === 'subscription';
}

function fetcher(request, { headers, documentAST } = {}) {
  return isSubscription(request, documentAST) ? subscribe(request, headers) : run(request, headers);
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

// The page of a signed-in user: the connection, a new task, filter and order, the list, and what there is to say.
import { NetworkStatus } from '@apollo/client';
import { useQuery, useReactiveVar } from '@apollo/client/react';
import { useEffect, useId, useRef, useState } from 'react';
import { create, draftOf, edit, remove, restore, setCompleted, type Draft } from './actions';
import { TokenForm } from './app';
import type { Filter, Task } from './cache';
import { TASKS } from './documents';
import { EditTask, NewTask } from './form';
import type { TaskStatusFilter } from './generated/api';
import { More, Row, TaskList } from './list';
import type { Session } from './session';
import { CONNECTIONS, currentVersion, explain, hasCode, NOTHING, ORDERS, STATUSES } from './words';

/** Something to say. Quiet words are for screen readers; the eye sees by itself what they tell. */
interface Notice {
  text: string;
  isQuiet?: boolean;
  undo?: () => void;
}

/** A task that is being edited. */
interface Edited {
  task: Task;
  draft: Draft;
  /** The version that the user has seen. */
  version: number;
  error: string;
}

interface TasksProps {
  session: Session;
  onSignOut: () => void;
  onToken: (token: string) => Promise<void>;
}

export function Tasks({ session, onSignOut, onToken }: TasksProps) {
  const { client } = session;
  const connection = useReactiveVar(session.connection);
  const [filter, setFilter] = useState<Filter>({ status: 'ALL', sortBy: 'CREATED', direction: 'DESC' });
  const [edited, setEdited] = useState<Edited | null>(null);
  const [notice, setNotice] = useState<Notice | null>(null);
  const { data, previousData, error, networkStatus, refetch, fetchMore } = useQuery(TASKS, { variables: filter });
  const heading = useRef<HTMLHeadingElement>(null);
  const list = (data ?? (error ? undefined : previousData))?.tasks;

  useEffect(() => heading.current?.focus(), []);

  // What could not be loaded while the server was away is loaded now.
  useEffect(() => {
    if (connection === 'live' && error) refetch().catch(() => undefined);
  }, [connection]);

  const show = (next: Filter) => {
    setEdited(null);
    setFilter(next);
  };
  const renew = async (token: string) => {
    await onToken(token);
    heading.current?.focus();
  };
  const attempt = async (action: Promise<void>, done: Notice) => {
    setNotice(done);
    await action.catch((failure: unknown) => setNotice({ text: explain(failure) }));
  };
  const add = async (id: string, draft: Draft) => {
    await create(client, id, draft);
    setNotice({ text: `“${draft.title.trim()}” was added.`, isQuiet: true });
  };
  const toggle = (task: Task) => {
    const text = `“${task.title}” is ${task.completed ? 'pending again' : 'completed'}.`;
    void attempt(setCompleted(client, task, !task.completed), { text, isQuiet: true });
  };
  const takeAway = (task: Task) => {
    const removal = remove(client, task.id);
    const back = { text: `“${task.title}” is back.`, isQuiet: true };
    const undo = () => void attempt(removal.then(() => restore(client, task)), back);
    void attempt(removal, { text: `“${task.title}” was deleted.`, undo });
  };
  const save = async ({ task, version }: Edited, draft: Draft) => {
    setEdited(null);
    setNotice(null);
    try {
      await edit(client, task, draft, version);
    } catch (failure) {
      const words = explain(failure);
      if (hasCode(failure, 'NOT_FOUND')) return setNotice({ text: words });
      // The form comes back with what was written, unless another one is open already.
      const again = { task, draft, version: currentVersion(failure) ?? version, error: words };
      setEdited((now) => now ?? again);
    }
  };

  return (
    <>
      <header>
        <h1 ref={heading} tabIndex={-1}>
          Tasks
        </h1>
        <p className={`connection ${connection}`} role="status">
          {CONNECTIONS[connection]}
        </p>
        <p className="viewer">{session.name}</p>
        <button type="button" onClick={onSignOut}>
          Sign out
        </button>
      </header>
      <main>
        {connection === 'token-needed' && (
          <section className="card" aria-label="Fresh token">
            <p role="alert">Your token no longer holds; it may have expired. Paste a fresh one to go on.</p>
            <TokenForm action="Go on" onToken={renew} />
          </section>
        )}
        <NewTask onCreate={add} />
        <Toolbar session={session} filter={filter} onChange={show} />
        {error && !data && (
          <p className="card error" role="alert">
            {explain(error)} <button onClick={() => void refetch().catch(() => undefined)}>Try again</button>
          </p>
        )}
        {list && (
          <TaskList tasks={list.nodes} isBusy={!data}>
            {(task) =>
              edited?.task.id === task.id ? (
                <EditTask
                  title={task.title}
                  draft={edited.draft}
                  error={edited.error}
                  onSave={(draft) => void save(edited, draft)}
                  onCancel={() => setEdited(null)}
                />
              ) : (
                <Row
                  task={task}
                  onToggle={() => toggle(task)}
                  onEdit={() => setEdited({ task, draft: draftOf(task), version: task.version, error: '' })}
                  onDelete={() => takeAway(task)}
                />
              )
            }
          </TaskList>
        )}
        {data?.tasks.nodes.length === 0 && <p className="nothing">{NOTHING[filter.status]}</p>}
        {data?.tasks.pageInfo.hasNextPage && data.tasks.pageInfo.endCursor && (
          <More
            cursor={data.tasks.pageInfo.endCursor}
            isBusy={networkStatus === NetworkStatus.fetchMore}
            onMore={() => fetchMore({ variables: { after: data.tasks.pageInfo.endCursor } })}
          />
        )}
      </main>
      <div className={notice && !notice.isQuiet ? 'notice' : 'unseen'} role="status">
        {notice && (
          <>
            <p>{notice.text}</p>
            {notice.undo && <button onClick={notice.undo}>Undo</button>}
            {!notice.isQuiet && <button onClick={() => setNotice(null)}>Close</button>}
          </>
        )}
      </div>
    </>
  );
}

interface ToolbarProps {
  session: Session;
  filter: Filter;
  onChange: (filter: Filter) => void;
}

function Toolbar({ session, filter, onChange }: ToolbarProps) {
  const counts = useReactiveVar(session.counts);
  const id = useId();
  const chosen = ORDERS.findIndex(({ by }) => by.sortBy === filter.sortBy && by.direction === filter.direction);
  const sort = (index: number) => onChange({ ...filter, ...ORDERS[index]?.by });
  return (
    <div className="toolbar">
      <fieldset>
        <legend className="unseen">Show</legend>
        {(Object.keys(STATUSES) as TaskStatusFilter[]).map((status) => (
          <label key={status}>
            <input
              type="radio"
              name={id}
              checked={filter.status === status}
              onChange={() => onChange({ ...filter, status })}
            />
            {STATUSES[status]} {counts && <span className="count">{counts[status].totalCount}</span>}
          </label>
        ))}
      </fieldset>
      <label className="unseen" htmlFor={id}>
        Sort
      </label>
      <select id={id} value={chosen} onChange={(event) => sort(Number(event.target.value))}>
        {ORDERS.map(({ label }, index) => (
          <option key={label} value={index}>
            {label}
          </option>
        ))}
      </select>
    </div>
  );
}

// The list of tasks: its rows, the focus that stays in it, and the pages that are loaded as one comes near the end.
import { useEffect, useId, useLayoutEffect, useRef, useState } from 'react';
import type { FocusEvent, ReactNode, SyntheticEvent } from 'react';
import type { Task } from './cache';
import { dueLabel, explain, PRIORITIES } from './words';

/** How far ahead of the screen the next page is loaded. */
const AHEAD = '600px';

interface TaskListProps {
  tasks: readonly Task[];
  /** Whether these are still the tasks of the filter before. */
  isBusy: boolean;
  children: (task: Task) => ReactNode;
}

export function TaskList({ tasks, isBusy, children }: TaskListProps) {
  const list = useRef<HTMLUListElement>(null);
  const keptFocus = useKeptFocus(list);
  return (
    <ul className="card" ref={list} aria-label="Tasks" aria-busy={isBusy} inert={isBusy} {...keptFocus}>
      {tasks.map((task) => (
        <li key={task.id} data-id={task.id} className={task.completed ? 'completed' : undefined}>
          {children(task)}
        </li>
      ))}
    </ul>
  );
}

/** When the row with the focus goes, or turns into a form or back, the focus goes to what took its place. */
function useKeptFocus(list: { readonly current: HTMLUListElement | null }) {
  const last = useRef<{ id: string | undefined; index: number; control: string } | null>(null);

  const remember = ({ target }: SyntheticEvent) => {
    const row = target instanceof Element ? target.closest('li') : null;
    if (!row || !(target instanceof HTMLElement)) return;
    const index = [...(list.current?.children ?? [])].indexOf(row);
    last.current = { id: row.dataset.id, index, control: target.dataset.control ?? 'title' };
  };
  const forget = ({ relatedTarget }: FocusEvent) => {
    // "Undo" and "Close" go when they are pressed, and the focus comes back.
    if (!relatedTarget?.closest('.notice')) last.current = null;
  };
  useLayoutEffect(() => {
    if (!last.current || document.activeElement !== document.body) return;
    const { id, index, control } = last.current;
    const rows = [...(list.current?.querySelectorAll('li') ?? [])];
    const row = rows.find((one) => one.dataset.id === id) ?? rows[Math.min(index, rows.length - 1)];
    // In an empty list: the field for a new task.
    const place = row ?? document;
    const next = place.querySelector(`[data-control=${control}]`) ?? place.querySelector('[data-control=title]');
    if (next instanceof HTMLElement) next.focus();
  });
  // A click is remembered as well, since not every browser puts the focus on a button that is clicked.
  return { onFocus: remember, onClick: remember, onBlur: forget };
}

interface RowProps {
  task: Task;
  onToggle: () => void;
  onEdit: () => void;
  onDelete: () => void;
}

export function Row({ task, onToggle, onEdit, onDelete }: RowProps) {
  const { title, description, completed, dueDate, priority } = task;
  const id = useId();
  const isOverdue = !completed && dueDate !== null && new Date(dueDate) < new Date();
  return (
    <>
      <input type="checkbox" checked={completed} onChange={onToggle} aria-labelledby={id} data-control="check" />
      <button type="button" className="task" onClick={onEdit} data-control="title">
        <span className="unseen">Edit </span>
        <span className="name" id={id}>
          {title}
        </span>
        {description && <span className="note">{description}</span>}
        {(dueDate ?? priority) !== null && (
          <span className="facts">
            {dueDate && (
              <span className={isOverdue ? 'overdue' : undefined}>
                {isOverdue ? 'Overdue: ' : <span className="unseen">Due: </span>}
                {dueLabel(dueDate)}
              </span>
            )}
            {priority && (
              <span className={`priority ${priority.toLowerCase()}`}>
                {PRIORITIES[priority]}
                <span className="unseen"> priority</span>
              </span>
            )}
          </span>
        )}
      </button>
      <button type="button" className="icon" onClick={onDelete} aria-label={`Delete ${title}`}>
        <svg viewBox="0 0 20 20" width="20" height="20" aria-hidden="true">
          <path d="M4 6h12M8.5 6V4.5h3V6M6 6l.7 9.5h6.6L14 6M8.6 9v3.6M11.4 9v3.6" />
        </svg>
      </button>
    </>
  );
}

interface MoreProps {
  /** Where the list ends now. */
  cursor: string;
  isBusy: boolean;
  onMore: () => Promise<unknown>;
}

/** Loads the next page when it comes near the screen, or is pressed. */
export function More({ cursor, isBusy, onMore }: MoreProps) {
  const button = useRef<HTMLButtonElement>(null);
  const [error, setError] = useState('');

  const load = async () => {
    if (isBusy) return;
    setError('');
    try {
      await onMore();
    } catch (failure) {
      setError(explain(failure));
    }
  };
  useEffect(() => {
    // After an error it waits to be pressed.
    if (!button.current || isBusy || error) return undefined;
    const observer = new IntersectionObserver(
      (entries) => {
        if (entries.some((entry) => entry.isIntersecting)) void load();
      },
      { rootMargin: AHEAD },
    );
    observer.observe(button.current);
    return () => observer.disconnect();
  }, [cursor, isBusy, error]);
  return (
    <div className="more">
      <p className="error" role="alert">
        {error}
      </p>
      <button type="button" ref={button} onClick={() => void load()} aria-disabled={isBusy}>
        {isBusy ? 'Loading …' : 'Load more'}
      </button>
    </div>
  );
}

// The forms in which tasks are written: the one for new tasks, and the one that takes a row's place while it is edited.
import { useId, useRef, useState, type FormEvent, type KeyboardEvent, type Ref } from 'react';
import { EMPTY, type Draft } from './actions';
import type { TaskPriority } from './generated/api';
import { explain, PRIORITIES } from './words';

interface FieldProps {
  draft: Draft;
  onChange: (draft: Draft) => void;
}

/** Fails where the task was not made. */
export function NewTask({ onCreate }: { onCreate: (id: string, draft: Draft) => Promise<void> }) {
  // A task has its id before it is sent, so that sending it again after a lost answer makes one task.
  const [{ id, draft }, setNext] = useState(() => ({ id: newId(), draft: EMPTY }));
  const [isOpen, setOpen] = useState(false);
  const [error, setError] = useState('');
  const title = useRef<HTMLInputElement>(null);
  const details = useId();

  const submit = async (event: FormEvent) => {
    event.preventDefault();
    setError('');
    setNext({ id: newId(), draft: EMPTY });
    title.current?.focus();
    try {
      await onCreate(id, draft);
    } catch (failure) {
      setError(explain(failure));
      // What was not saved comes back, unless the next task is being written already.
      setNext((next) => (next.draft === EMPTY ? { id, draft } : next));
    }
  };
  const fields = { draft, onChange: (changed: Draft) => setNext({ id, draft: changed }) };
  return (
    <form className="card" aria-label="New task" onSubmit={(event) => void submit(event)}>
      <div className="line">
        <Title {...fields} ref={title} label="Title of the new task" placeholder="What is to be done?" isLabelHidden />
        <button type="button" aria-expanded={isOpen} aria-controls={details} onClick={() => setOpen(!isOpen)}>
          Details
        </button>
        <button className="primary">Add</button>
      </div>
      <div id={details} hidden={!isOpen}>
        <Details {...fields} />
      </div>
      <p className="error" role="alert">
        {error}
      </p>
    </form>
  );
}

interface EditTaskProps {
  title: string;
  draft: Draft;
  error: string;
  onSave: (draft: Draft) => void;
  onCancel: () => void;
}

export function EditTask({ title, draft: initial, error, onSave, onCancel }: EditTaskProps) {
  const [draft, setDraft] = useState(initial);
  const fields = { draft, onChange: setDraft };

  const submit = (event: FormEvent) => {
    event.preventDefault();
    onSave(draft);
  };
  const cancelOnEscape = (event: KeyboardEvent) => {
    if (event.key === 'Escape') onCancel();
  };
  return (
    <form className="edit" aria-label={`Edit ${title}`} onSubmit={submit} onKeyDown={cancelOnEscape}>
      <Title {...fields} label="Title" />
      <Details {...fields} />
      <p className="error" role="alert">
        {error}
      </p>
      <div className="line">
        <button className="primary">Save</button>
        <button type="button" onClick={onCancel}>
          Cancel
        </button>
      </div>
    </form>
  );
}

interface TitleProps extends FieldProps {
  label: string;
  isLabelHidden?: boolean;
  placeholder?: string;
  ref?: Ref<HTMLInputElement>;
}

function Title({ draft, onChange, label, isLabelHidden = false, placeholder, ref }: TitleProps) {
  const id = useId();
  return (
    <div className="field title">
      <label htmlFor={id} className={isLabelHidden ? 'unseen' : undefined}>
        {label}
      </label>
      <input
        id={id}
        ref={ref}
        value={draft.title}
        onChange={(event) => onChange({ ...draft, title: event.target.value })}
        placeholder={placeholder}
        data-control="title"
        autoComplete="off"
        required
        pattern=".*\S.*"
        title="A few words"
      />
    </div>
  );
}

function Details({ draft, onChange }: FieldProps) {
  const id = useId();
  return (
    <div className="details">
      <div className="field description">
        <label htmlFor={`${id}-description`}>Description</label>
        <textarea
          id={`${id}-description`}
          rows={3}
          value={draft.description}
          onChange={(event) => onChange({ ...draft, description: event.target.value })}
        />
      </div>
      <div className="field">
        <label htmlFor={`${id}-due`}>Due</label>
        <input
          id={`${id}-due`}
          type="datetime-local"
          max="9999-12-31T23:59"
          value={draft.due}
          onChange={(event) => onChange({ ...draft, due: event.target.value })}
        />
      </div>
      <div className="field">
        <label htmlFor={`${id}-priority`}>Priority</label>
        <select
          id={`${id}-priority`}
          value={draft.priority}
          onChange={(event) => onChange({ ...draft, priority: event.target.value as TaskPriority | '' })}
        >
          <option value="">None</option>
          {Object.entries(PRIORITIES).map(([priority, label]) => (
            <option key={priority} value={priority}>
              {label}
            </option>
          ))}
        </select>
      </div>
    </div>
  );
}

function newId(): string {
  return crypto.randomUUID();
}

// Signing in and out. The token stays in this window, until it is closed.
import { ApolloProvider } from '@apollo/client/react';
import { useEffect, useId, useState, type FormEvent } from 'react';
import { Session } from './session';
import { Tasks } from './tasks';
import { explain } from './words';

const KEY = 'taskql-token';

export function App({ suggestedToken }: { suggestedToken: string }) {
  const [session, setSession] = useState<Session | null>(null);

  const signIn = async (token: string) => {
    const next = new Session(token);
    await next.open();
    sessionStorage.setItem(KEY, token);
    setSession(next);
  };
  const renew = async (token: string) => {
    if (await session?.renew(token)) {
      sessionStorage.setItem(KEY, token);
    } else {
      await signIn(token);
      session?.close();
    }
  };
  const signOut = () => {
    sessionStorage.removeItem(KEY);
    session?.close();
    setSession(null);
  };

  if (!session) return <SignIn suggestedToken={suggestedToken} onToken={signIn} />;
  return (
    <ApolloProvider client={session.client} key={session.userId}>
      <Tasks session={session} onSignOut={signOut} onToken={renew} />
    </ApolloProvider>
  );
}

function SignIn({ suggestedToken, onToken }: { suggestedToken: string; onToken: (token: string) => Promise<void> }) {
  return (
    <main className="sign-in">
      <h1>Tasks</h1>
      <p>Sign in with a token. In development mode one is filled in.</p>
      <TokenForm
        action="Sign in"
        suggested={suggestedToken}
        known={sessionStorage.getItem(KEY)}
        takesFocus
        onToken={onToken}
      />
    </main>
  );
}

interface TokenFormProps {
  action: string;
  /** What the field is filled with. */
  suggested?: string;
  /** A token that worked before: it is tried without being asked. */
  known?: string | null;
  /** Whether the field takes the focus. Not where somebody may be writing something else. */
  takesFocus?: boolean;
  onToken: (token: string) => Promise<void>;
}

export function TokenForm({ action, suggested = '', known = null, takesFocus = false, onToken }: TokenFormProps) {
  const [token, setToken] = useState(suggested);
  const [isBusy, setBusy] = useState(false);
  const [error, setError] = useState('');
  const id = useId();

  const send = async (chosen: string) => {
    setBusy(true);
    setError('');
    try {
      await onToken(chosen.trim().replace(/^Bearer\s+/i, ''));
    } catch (failure) {
      setError(explain(failure));
    } finally {
      setBusy(false);
    }
  };
  useEffect(() => {
    if (known !== null) void send(known);
  }, []);

  const submit = (event: FormEvent) => {
    event.preventDefault();
    if (!isBusy) void send(token);
  };
  return (
    <form className="token" onSubmit={submit}>
      <label htmlFor={id}>Token</label>
      <div className="line">
        <input
          id={id}
          value={token}
          onChange={(event) => setToken(event.target.value)}
          aria-describedby={`${id}-error`}
          autoComplete="off"
          spellCheck={false}
          autoFocus={takesFocus}
          required
        />
        <button className="primary">{isBusy ? 'One moment …' : action}</button>
      </div>
      <p className="error" id={`${id}-error`} role="alert">
        {error}
      </p>
    </form>
  );
}

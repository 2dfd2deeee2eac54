// The entry: esbuild bundles from here. The server puts the configuration into the page.
import { createRoot } from 'react-dom/client';
import { App } from './app';
import './style.css';

const config = JSON.parse(document.getElementById('config')?.textContent ?? '{}') as { token?: string | null };
const root = document.getElementById('root');
if (root) createRoot(root).render(<App suggestedToken={config.token ?? ''} />);

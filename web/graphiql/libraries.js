// The libraries as globals, which is how they come from a CDN as well.
import { GraphiQL } from 'graphiql';
import 'graphiql/style.css';
import * as React from 'react';
import { createRoot } from 'react-dom/client';

Object.assign(globalThis, { GraphiQL, React, ReactDOM: { createRoot } });

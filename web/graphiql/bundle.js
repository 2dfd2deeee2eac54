// What esbuild bundles: the libraries where page.js looks for them, then page.js.
import './libraries.js';
import './page.js';

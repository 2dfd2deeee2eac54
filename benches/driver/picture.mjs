// The pictures, as SVG that reads well on light and on dark ground.
import { count, machineLine } from './report.mjs';
import { workloads } from './workloads.mjs';

const STYLE = `
    text { font: 13px system-ui, -apple-system, "Segoe UI", "DejaVu Sans", sans-serif; fill: #24292f }
    .title { font-size: 17px; font-weight: 600 }
    .head { font-weight: 600 }
    .quiet { fill: #59636e; font-size: 12px }
    .ours { fill: #c2410c; font-weight: 600 }
    .server { fill: #57799f } .database { fill: #b4c5d8 }
    .our-server { fill: #e0571b } .our-database { fill: #f6b795 }
    .grid { stroke: #d1d9e0; stroke-width: 1 }
    .line { fill: none; stroke: #e0571b; stroke-width: 2.5 } .dot { fill: #e0571b }
    .line2 { fill: none; stroke: #57799f; stroke-width: 2.5 } .dot2 { fill: #57799f }
    .line3 { fill: none; stroke: #8b949e; stroke-width: 2; stroke-dasharray: 5 4 } .dot3 { fill: #8b949e }
    @media (prefers-color-scheme: dark) {
      text { fill: #f0f6fc } .quiet { fill: #9198a1 } .ours { fill: #ff9a66 }
      .server { fill: #7fa3cc } .database { fill: #3f556e }
      .our-server { fill: #ff7d3e } .our-database { fill: #8a4526 }
      .grid { stroke: #3d444d }
      .line { stroke: #ff7d3e } .dot { fill: #ff7d3e } .line2 { stroke: #7fa3cc } .dot2 { fill: #7fa3cc }
    }`;

const escape = (text) => String(text).replace(/[&<>]/g, (sign) => ({ '&': '&amp;', '<': '&lt;', '>': '&gt;' })[sign]);
const at = (number) => Number(number.toFixed(1));
const text = (x, y, content, names = '', anchor = 'start') =>
  `<text x="${at(x)}" y="${at(y)}" class="${names}" text-anchor="${anchor}">${escape(content)}</text>`;
const bar = (x, y, width, height, names) =>
  `<rect x="${at(x)}" y="${at(y)}" width="${at(Math.max(width, 0))}" height="${height}" class="${names}"/>`;

function picture(width, height, label, parts) {
  const size = `viewBox="0 0 ${width} ${height}" width="${width}" height="${height}"`;
  return `<svg xmlns="http://www.w3.org/2000/svg" ${size} role="img">
  <title>${escape(label)}</title>
  <style>${STYLE}
  </style>
  ${parts.join('\n  ')}
</svg>
`;
}

const WIDTH = 960;
const MARGIN = 24;
const GAP = 40;
const ROW = 24;
const NAME_WIDTH = 200;
const VALUE_WIDTH = 84;

// For each workload a group of bars, one a server: its CPU time a request, and the database's behind it.
export function performancePicture({ machine, settings, databases }) {
  const parts = [text(MARGIN, 36, 'CPU time of one request, in microseconds: server + database', 'title')];
  const { tasks, users, connections, rounds, seconds } = settings;
  const dataSet = `${count(tasks)} tasks of ${count(users)} users, ${connections} connections`;
  parts.push(text(MARGIN, 56, `${dataSet}, medians of ${rounds} × ${seconds} s. Less is better.`, 'quiet'));
  let y = 92;
  for (const { name, servers } of databases) {
    const hasProcess = name !== 'SQLite';
    parts.push(text(MARGIN, y, name, 'title'));
    parts.push(...legend(MARGIN + 130, y, hasProcess ? ['server', name] : ['server, the database inside']));
    y += 26;
    const columns = 2;
    const columnWidth = (WIDTH - 2 * MARGIN - GAP) / columns;
    const groupHeight = 26 + servers.length * ROW + 14;
    workloads.forEach((workload, nth) => {
      const left = MARGIN + (nth % columns) * (columnWidth + GAP);
      const top = y + Math.floor(nth / columns) * groupHeight;
      parts.push(...group(left, top, columnWidth, workload, servers, hasProcess));
    });
    y += Math.ceil(workloads.length / columns) * groupHeight + 20;
  }
  parts.push(text(MARGIN, y, machineLine(machine), 'quiet'));
  return picture(WIDTH, y + 20, 'CPU time of one request by server and workload', parts);
}

function legend(x, y, names) {
  const parts = [];
  for (const [nth, name] of names.entries()) {
    const kind = ['server', 'database'][nth];
    parts.push(
      bar(x, y - 11, 12, 12, `our-${kind}`),
      bar(x + 14, y - 11, 12, 12, kind),
      text(x + 32, y, name, 'quiet'),
    );
    x += 52 + name.length * 7;
  }
  return parts;
}

function group(left, top, width, workload, servers, hasProcess) {
  const figures = servers.map((server) => server.workloads[workload.name]);
  const most = Math.max(...figures.map((figure) => figure.serverMicros + figure.databaseMicros));
  const scale = (width - NAME_WIDTH - VALUE_WIDTH) / most;
  const parts = [text(left, top + 12, `${workload.name}  ${workload.title}`, 'head')];
  servers.forEach(({ name, label }, nth) => {
    const { serverMicros, databaseMicros } = figures[nth];
    const y = top + 24 + nth * ROW;
    const [ours, names] = name === 'taskql' ? ['our-', 'ours'] : ['', ''];
    const [first, second] = [serverMicros * scale, databaseMicros * scale];
    const value = count(serverMicros) + (hasProcess ? ` + ${count(databaseMicros)}` : '');
    parts.push(
      text(left + NAME_WIDTH - 8, y + 13, label, names, 'end'),
      bar(left + NAME_WIDTH, y, first, ROW - 6, `${ours}server`),
      bar(left + NAME_WIDTH + first, y, second, ROW - 6, `${ours}database`),
      text(left + NAME_WIDTH + first + second + 6, y + 13, value, names || 'quiet'),
    );
  });
  return parts;
}

// Panels side by side, each with lines over a logarithmic axis. A line has a name and points {x, y}; a panel's second
// axis, on the right, has a scale of its own.
export function linesPicture(title, subtitle, panels, machine) {
  const [panelWidth, panelHeight, top] = [364, 220, 118];
  const perRow = 2;
  const parts = [text(MARGIN, 36, title, 'title'), text(MARGIN, 56, subtitle, 'quiet')];
  panels.forEach((panel, nth) => {
    const left = MARGIN + 44 + (nth % perRow) * (panelWidth + 112);
    parts.push(
      ...linesPanel(panel, left, top + Math.floor(nth / perRow) * (panelHeight + 120), panelWidth, panelHeight),
    );
  });
  const height = top + Math.ceil(panels.length / perRow) * (panelHeight + 120) - 10;
  parts.push(text(MARGIN, height - 18, machineLine(machine), 'quiet'));
  return picture(WIDTH, height, title, parts);
}

function linesPanel({ title, axis, lines }, left, top, width, height) {
  const xs = lines[0].points.map((point) => point.x);
  const [low, high] = [Math.log10(Math.min(...xs)), Math.log10(Math.max(...xs))];
  const x = (value) => left + ((Math.log10(value) - low) / (high - low || 1)) * width;
  const sides = ['left', 'right'].map((side) => {
    const own = lines.filter((line) => (line.side ?? 'left') === side);
    const most = niceAbove(Math.max(0, ...own.flatMap((line) => line.points.map((point) => point.y))));
    return { side, most, unit: own[0]?.unit, y: (value) => top + height - (value / most) * height };
  });
  const parts = [text(left, top - 34, title, 'head')];
  for (let step = 0; step <= 4; step += 1) {
    const y = top + height - (step / 4) * height;
    parts.push(`<path class="grid" d="M${left} ${at(y)}h${width}"/>`);
    const [first, second] = sides;
    parts.push(text(left - 8, y + 4, tick((first.most * step) / 4), 'quiet', 'end'));
    if (second.unit) parts.push(text(left + width + 8, y + 4, tick((second.most * step) / 4), 'quiet'));
  }
  for (const value of xs) parts.push(text(x(value), top + height + 18, count(value), 'quiet', 'middle'));
  parts.push(text(left + width / 2, top + height + 38, axis, 'quiet', 'middle'));
  let legendX = left;
  lines.forEach((line, nth) => {
    const number = nth === 0 ? '' : nth + 1;
    const { y } = sides.find(({ side }) => side === (line.side ?? 'left'));
    const path = line.points.map((point, index) => `${index ? 'L' : 'M'}${at(x(point.x))} ${at(y(point.y))}`).join('');
    parts.push(`<path class="line${number}" d="${path}"/>`);
    for (const point of line.points) {
      parts.push(`<circle class="dot${number}" cx="${at(x(point.x))}" cy="${at(y(point.y))}" r="3.5"/>`);
    }
    const label = `${line.name}, ${line.unit}${line.side === 'right' ? ' (right)' : ''}`;
    parts.push(
      `<path class="line${number}" d="M${legendX} ${top - 16}h18"/>`,
      text(legendX + 24, top - 12, label, 'quiet'),
    );
    legendX += 40 + label.length * 6.4;
  });
  return parts;
}

const tick = (value) => (value === 0 ? '0' : value >= 10 ? count(value) : String(at(value)));

// The next number above `value` that is easy to read in quarters.
function niceAbove(value) {
  if (value <= 0) return 1;
  const power = 10 ** Math.floor(Math.log10(value));
  const factors = [1, 1.2, 1.6, 2, 2.4, 3.2, 4, 6, 8, 10, 12];
  return power * factors.find((factor) => power * factor >= value * 1.02);
}

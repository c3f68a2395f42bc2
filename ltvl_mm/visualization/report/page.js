'use strict';

// Figures: drawn by plotly, which stands packed in the page.
const plots = () => [...document.querySelectorAll('.plotly-graph-div')];

// They take the colors of the page, which change with the system's.
function pickColors(layout) {
  const style = getComputedStyle(document.documentElement);
  const text = style.getPropertyValue('--text').trim();
  const line = style.getPropertyValue('--line').trim();
  const change = { 'font.color': text };
  for (const name of Object.keys(layout)) {
    if (/^[xy]axis\d*$/.test(name)) {
      change[name + '.gridcolor'] = line;
      change[name + '.linecolor'] = line;
      change[name + '.zerolinecolor'] = line;
    }
  }
  return change;
}

function recolor(plot) {
  return Plotly.relayout(plot, pickColors(plot.layout));
}

async function unpackLibrary() {
  const packed = document.getElementById('library').textContent;
  const bytes = Uint8Array.from(atob(packed), (c) => c.charCodeAt(0));
  const unpacked = new Blob([bytes]).stream()
    .pipeThrough(new DecompressionStream('gzip'));
  const script = document.createElement('script');
  script.textContent = await new Response(unpacked).text();
  document.head.append(script);
}

async function drawPlots() {
  if (!('DecompressionStream' in window)) {
    document.getElementById('no-charts').hidden = false;
    return;
  }
  await unpackLibrary();
  // A finger that scrolls the page must not zoom a figure.
  const touch = matchMedia('(pointer: coarse)').matches;
  for (const plot of plots()) {
    const { data, layout, config } = JSON.parse(
      plot.nextElementSibling.textContent,
    );
    if (touch) { layout.dragmode = false; }
    await Plotly.newPlot(plot, data, layout, config);
    await recolor(plot);
  }
  const dark = matchMedia('(prefers-color-scheme: dark)');
  dark.addEventListener('change', () => plots().forEach(recolor));
  for (const kind of ['beforeprint', 'afterprint']) {
    addEventListener(kind, () => plots().forEach(Plotly.Plots.resize));
  }
  document.documentElement.dataset.drawn = 'yes';
}

// A chart per method, of which one is shown.
for (const select of document.querySelectorAll('select.variants')) {
  select.addEventListener('change', () => {
    const section = document.getElementById(select.dataset.chart);
    [...section.querySelectorAll('.variant')].forEach((figure, place) => {
      figure.hidden = place !== select.selectedIndex;
      if (!figure.hidden && window.Plotly) {
        const plot = figure.querySelector('.plotly-graph-div');
        Plotly.Plots.resize(plot);
      }
    });
  });
}

// The table of classes: sorted by the column whose heading is selected.
for (const table of document.querySelectorAll('table.sorted')) {
  const headings = [...table.tHead.rows[0].cells];
  const body = table.tBodies[0];
  const read = (row, column) => {
    const cell = row.cells[column];
    const value = Number(cell.dataset.value ?? cell.textContent);
    return Number.isNaN(value) ? -1 : value;  // a dash: not tested
  };
  headings.forEach((heading, column) => {
    heading.querySelector('button').addEventListener('click', () => {
      const upwards = heading.getAttribute('aria-sort') !== 'ascending';
      headings.forEach((other) => other.removeAttribute('aria-sort'));
      heading.setAttribute('aria-sort', upwards ? 'ascending' : 'descending');
      const sign = upwards ? 1 : -1;
      body.append(...[...body.rows].sort((one, other) =>
        sign * (read(one, column) - read(other, column))
        || read(one, 0) - read(other, 0)));
    });
  });
}

// The gallery: filter and order.
const controls = document.getElementById('controls');
if (controls) {
  const cards = document.getElementById('cards');
  const all = [...cards.children];
  const name = document.getElementById('filter-name');
  const group = document.getElementById('filter-group');
  const order = document.getElementById('order');
  const number = (card) => Number(card.dataset[order.value]);
  const update = () => {
    const wanted = name.value.trim().toLowerCase();
    let shown = 0;
    for (const card of all) {
      card.hidden = !card.dataset.name.includes(wanted)
        || Boolean(group && group.value && group.value !== card.dataset.group);
      shown += card.hidden ? 0 : 1;
    }
    document.getElementById('shown').textContent =
      `${shown} of ${all.length} classes`;
  };
  const sort = () => {
    const sorted = [...all].sort((one, other) => number(one) - number(other)
      || Number(one.dataset.label) - Number(other.dataset.label));
    cards.replaceChildren(...sorted);
  };
  name.addEventListener('input', update);
  if (group) { group.addEventListener('change', update); }
  order.addEventListener('change', sort);
  controls.addEventListener('submit', (event) => event.preventDefault());
  update();

  // One image of a class can be reached by tab, its neighbors by arrows; what
  // is chosen shows its caption, which a phone has no other way to show.
  const choose = (item) => {
    for (const other of item.parentElement.children) {
      other.tabIndex = other === item ? 0 : -1;
      other.setAttribute('aria-selected', other === item);
    }
    const line = item.closest('.card').querySelector('.caption');
    line.textContent = item.title;
  };
  const find = (event) => event.target.closest('.card li[role=option]');
  for (const kind of ['focusin', 'pointerover', 'click']) {
    cards.addEventListener(kind, (event) => {
      if (find(event)) { choose(find(event)); }
    });
  }
  cards.addEventListener('keydown', (event) => {
    const item = find(event);
    const next = item && {
      ArrowRight: item.nextElementSibling,
      ArrowLeft: item.previousElementSibling,
      Home: item.parentElement.firstElementChild,
      End: item.parentElement.lastElementChild,
    }[event.key];
    if (next) {
      next.focus();
      event.preventDefault();
    }
  });
}

drawPlots();

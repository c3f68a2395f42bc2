'use strict';

// Figures take the colours of the page, which change with the system's.
const plots = () => [...document.querySelectorAll('.plotly-graph-div')];

function recolour(plot) {
  const style = getComputedStyle(document.documentElement);
  const text = style.getPropertyValue('--text').trim();
  const line = style.getPropertyValue('--line').trim();
  const change = { 'font.color': text };
  for (const name of Object.keys(plot.layout)) {
    if (/^[xy]axis\d*$/.test(name)) {
      change[name + '.gridcolor'] = line;
      change[name + '.linecolor'] = line;
      change[name + '.zerolinecolor'] = line;
    }
  }
  Plotly.relayout(plot, change);
}

const dark = matchMedia('(prefers-color-scheme: dark)');
dark.addEventListener('change', () => plots().forEach(recolour));

// A chart per method, of which one is shown.
for (const select of document.querySelectorAll('select.variants')) {
  select.addEventListener('change', () => {
    const section = document.getElementById(select.dataset.chart);
    [...section.querySelectorAll('.variant')].forEach((figure, place) => {
      figure.hidden = place !== select.selectedIndex;
      if (!figure.hidden) {
        const plot = figure.querySelector('.plotly-graph-div');
        Plotly.Plots.resize(plot);
      }
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
}

plots().forEach(recolour);

/* A stage on which a clip plays: a skeleton that was deflated, or a film strip. Needs h and s; decodes what is seen. */
const LOOK = { body: ["#e3e9f2", 3], face: ["#93a5bf", 1.1], left: ["#74e0b0", 2.1], right: ["#ff9bc4", 2.1] };
const TRAIL = 7; // frames that a hand's path stays visible

async function bytesOf(clip) { // (frames, points, 2): 0 to 254, 255 where a point is missing
  const raw = Uint8Array.from(atob(clip.data), (c) => c.charCodeAt(0));
  if (clip.coding !== "delta-deflate") return raw;
  const stream = new Blob([raw]).stream().pipeThrough(new DecompressionStream("deflate"));
  const bytes = new Uint8Array(await new Response(stream).arrayBuffer());
  for (let i = clip.points * 2; i < bytes.length; i++) bytes[i] = (bytes[i] + bytes[i - clip.points * 2]) & 255;
  return bytes;
}

// What draws a clip at a time (in frames) into a square of side 1.
async function painter(clip, { edges, parts }) {
  return clip.kind === "film" ? filmPainter(clip) : skeletonPainter(clip, await bytesOf(clip), edges || [], parts || {});
}

function filmPainter(clip) { // `columns` pictures a row, all in one image
  return new Promise((done, failed) => {
    const strip = new Image(), side = Math.max(clip.width, clip.height), w = clip.width / side, t = clip.height / side;
    strip.onload = () => done((pen, time) => {
      const now = Math.round(time), column = now % clip.columns, line = Math.floor(now / clip.columns);
      pen.drawImage(strip, column * clip.width, line * clip.height, clip.width, clip.height, (1 - w) / 2, (1 - t) / 2, w, t);
    });
    strip.onerror = () => failed(new Error("the film strip is damaged"));
    strip.src = `data:image/jpeg;base64,${clip.data}`;
  });
}

function skeletonPainter(clip, bytes, edges, parts) {
  const size = clip.points * 2, linked = new Set(edges.flat());
  const lookOf = Array.from({ length: clip.points }, (_, point) => {
    const [name] = Object.entries(parts).find(([, [from, to]]) => point >= from && point < to) || ["body"];
    return LOOK[Object.keys(LOOK).find((key) => name.includes(key))] || LOOK.body;
  });
  const hands = Object.entries(parts).filter(([name]) => name.includes("hand"));
  let box = null; // the part of the square that this signer fills, so that every clip is seen at a good size
  for (let i = 0; i < bytes.length; i += 2) if (bytes[i] !== 255 && bytes[i + 1] !== 255) {
    const [x, y] = [bytes[i], bytes[i + 1]];
    box = box ? [Math.min(box[0], x), Math.min(box[1], y), Math.max(box[2], x), Math.max(box[3], y)] : [x, y, x, y];
  }
  box = box || [0, 0, 254, 254];
  const span = Math.max(box[2] - box[0], box[3] - box[1], 1) * 1.14, left = (box[0] + box[2] - span) / 2, top = (box[1] + box[3] - span) / 2;
  const at = (time, point) => {
    const now = Math.floor(time), part = time - now, i = now * size + point * 2, j = Math.min(now + 1, clip.frames - 1) * size + point * 2;
    if (bytes[i] === 255 || bytes[i + 1] === 255) return null;
    const next = bytes[j] === 255 || bytes[j + 1] === 255 ? i : j;
    return [0, 1].map((axis) => ((bytes[i + axis] * (1 - part) + bytes[next + axis] * part) - (axis ? top : left)) / span);
  };
  const middle = (time, [from, to]) => {
    const seen = [];
    for (let point = from; point < to; point++) { const place = at(time, point); if (place) seen.push(place); }
    return seen.length ? [0, 1].map((axis) => seen.reduce((sum, place) => sum + place[axis], 0) / seen.length) : null;
  };
  return (pen, time) => {
    pen.lineCap = "butt";
    for (const [name, range] of hands) { // the path that a hand has just gone
      pen.strokeStyle = name.includes("left") ? LOOK.left[0] : LOOK.right[0];
      let before = middle(time, range);
      for (let back = 0.5; back <= TRAIL && time - back >= 0; back += 0.5) {
        const place = middle(time - back, range), fade = 1 - back / TRAIL;
        if (place && before) { pen.globalAlpha = 0.32 * fade; pen.lineWidth = (16 * fade + 1) / 270; pen.beginPath(); pen.moveTo(...before); pen.lineTo(...place); pen.stroke(); }
        before = place;
      }
    }
    pen.lineCap = "round";
    const points = lookOf.map((_, point) => at(time, point));
    for (const [a, b] of edges) if (points[a] && points[b]) {
      const [colour, width] = lookOf[b];
      pen.strokeStyle = colour; pen.lineWidth = width / 270; pen.globalAlpha = 0.92;
      pen.beginPath(); pen.moveTo(...points[a]); pen.lineTo(...points[b]); pen.stroke();
    }
    points.forEach((point, i) => {
      if (!point) return;
      const [colour, width] = lookOf[i];
      pen.fillStyle = colour; pen.globalAlpha = linked.has(i) ? 1 : 0.8;
      pen.beginPath(); pen.arc(...point, (linked.has(i) ? width * 0.62 : 1.2) / 270, 0, 7); pen.fill();
    });
    pen.globalAlpha = 1;
  };
}

const SPEEDS = [0.5, 1, 2];
const PLAY = "M3 1l10 6-10 6z", PAUSE = "M2 1h4v12H2zM8 1h4v12H8z";

// drawing: {edges, parts}; `moving` starts it as soon as it is seen; `onloop` is told when it begins again
function player(clip, id, drawing, { moving = false, speed = 1, onspeed, onloop } = {}) {
  const canvas = h("canvas", { role: "img", "aria-label": `Clip ${id}, ${(clip.frames / clip.fps).toFixed(1)} seconds` }), pen = canvas.getContext("2d");
  let paint = null, asked = false, time = Math.floor(clip.frames / 3), playing = false, wanted = moving, seen = false, before = 0;
  const button = h("button", { type: "button", onclick: () => api.toggle() });
  const slider = h("input", { type: "range", min: 0, max: Math.max(clip.frames - 1, 0), step: 1, value: time, "aria-label": `Position in clip ${id}` });
  const clock = h("output", {}), fast = h("button", { type: "button", class: "speed", onclick: () => {
    speed = SPEEDS[(SPEEDS.indexOf(speed) + 1) % SPEEDS.length]; say(); if (onspeed) onspeed(speed);
  } });
  const say = () => { fast.textContent = `${speed}×`; fast.setAttribute("aria-label", `Speed ${speed}; press to change`); };
  function draw() {
    const ratio = devicePixelRatio || 1, side = canvas.clientWidth;
    slider.value = Math.round(time);
    clock.textContent = `${(Math.min(time, clip.frames - 1) / clip.fps).toFixed(1)} s`;
    if (!side || !paint) return;
    if (canvas.width !== Math.round(side * ratio)) canvas.width = canvas.height = Math.round(side * ratio);
    pen.setTransform(ratio * side, 0, 0, ratio * side, 0, 0);
    pen.clearRect(0, 0, 1, 1);
    paint(pen, clamped(time));
  }
  const clamped = (at) => Math.max(0, Math.min(at, clip.frames - 1));
  function step(now) {
    if (!playing) return;
    if (!canvas.isConnected) { play(false); return; }
    time += ((now - before) / 1000) * clip.fps * speed;
    before = now;
    if (time > clip.frames + 5) { time = 0; if (onloop) onloop(); } // after a short rest at the end
    draw();
    requestAnimationFrame(step);
  }
  function play(on) {
    if (on !== playing) {
      playing = on;
      if (on) { before = performance.now(); if (time >= clip.frames - 1) time = 0; requestAnimationFrame(step); }
    }
    button.replaceChildren(s("svg", { width: 14, height: 14, viewBox: "0 0 14 14", "aria-hidden": "true" }, s("path", { d: on ? PAUSE : PLAY })));
    button.setAttribute("aria-label", `${on ? "Pause" : "Play"} clip ${id}`);
  }
  function load() {
    if (asked) return;
    asked = true;
    painter(clip, drawing).then((found) => { paint = found; draw(); }, () => { clock.textContent = "cannot be shown"; });
  }
  const api = {
    node: null, toggle: () => { wanted = !playing; load(); play(wanted); }, play: (on) => { wanted = on; play(on && seen); }, playing: () => playing,
    move: (by) => { wanted = false; play(false); time = clamped(Math.round(time) + by); draw(); },
  };
  canvas.addEventListener("click", api.toggle);
  slider.addEventListener("input", () => { wanted = false; play(false); time = Number(slider.value); draw(); });
  say(); play(false);
  api.node = h("div", { class: "stage" }, canvas, h("div", { class: "controls" }, button, slider, clock, fast));
  new ResizeObserver(draw).observe(canvas);
  // Only what is on screen is decoded, and only that moves.
  new IntersectionObserver((entries) => { seen = entries[entries.length - 1].isIntersecting; if (seen) load(); play(seen && wanted); }).observe(api.node);
  return api;
}

// The live graph in its sandboxed frame: unpacks vis-network, which moves, hovers and zooms, and draws the static
// picture on its canvas. Every text goes into that picture or into textContent; none is ever markup.
"use strict";
(async () => {
  const box = document.getElementById("packed"), signs = box.textContent, bytes = new Uint8Array(+box.dataset.size);
  const sign = (at) => {
    const code = signs.charCodeAt(at);
    return code - 32 - (code > 34) - (code > 38) - (code > 60) - (code > 92); // 91 signs: without " & < \
  };
  for (let at = 0, full = 0, many = 0, bits = 0; at < signs.length; at += 2) {
    bits = (bits << 13) | (sign(at) * 91 + sign(at + 1));
    for (many += 13; many >= 8; ) bytes[full++] = bits >> (many -= 8);
  }
  const stream = new Blob([bytes]).stream().pipeThrough(new DecompressionStream("gzip"));
  const [vis_network, said] = (await new Response(stream).text()).split("\0");
  const library = document.createElement("script");
  library.textContent = vis_network;
  document.head.append(library);

  const scene = JSON.parse(said);
  const picture = new Image();
  picture.src = "data:image/svg+xml," + encodeURIComponent(scene.picture);
  await picture.decode();
  const holder = document.getElementById("graph");
  const network = new vis.Network(holder, { nodes: scene.nodes, edges: scene.edges }, scene.options);
  const whole = () => {
    if (!holder.clientWidth) return; // not laid out yet: a resize will come
    const scale = Math.min(holder.clientWidth / scene.width, holder.clientHeight / scene.height);
    network.moveTo({ position: { x: scene.width / 2, y: scene.height / 2 }, scale, animation: false });
  };

  let hovered = null; // a node, or a line
  const hover = (item) => {
    hovered = item;
    network.redraw();
  };
  network.on("hoverNode", ({ node }) => hover(scene.nodes.find((n) => n.id === node)));
  network.on("hoverEdge", ({ edge }) => hover(scene.lines[scene.edges[edge].line]));
  network.on("blurNode", () => hover(null));
  network.on("blurEdge", () => hover(null));
  network.on("beforeDrawing", (c) => {
    c.drawImage(picture, 0, 0, scene.width, scene.height);
    if (!hovered) return;
    c.save();
    c.strokeStyle = scene.mark;
    c.lineWidth = hovered.path ? hovered.width + 8 : 3;
    const [w, h] = [hovered.widthConstraint, hovered.heightConstraint];
    const shape = new Path2D(hovered.path);
    if (!hovered.path) shape.roundRect(hovered.x - w / 2, hovered.y - h / 2, w, h, hovered.shapeProperties.borderRadius);
    c.stroke(shape);
    c.restore();
  });

  const told = document.getElementById("told"); // empty = not shown; always there, so that a screen reader hears of it
  const close = () => (told.textContent = "");
  const place = ({ x, y }, seen) => {
    const [w, h] = [told.offsetWidth, told.offsetHeight], below = y + 14;
    told.style.left = Math.max(seen.left, Math.min(x + 14, seen.right - w)) + "px";
    told.style.top = Math.max(seen.top, below + h > seen.bottom ? y - 14 - h : below) + "px";
  };
  const tell = (text, spot) => {
    told.textContent = text;
    place(spot, holder.getBoundingClientRect());
    const watch = new IntersectionObserver(([{ intersectionRect }]) => {
      watch.disconnect(); // the page around the frame shows this part of it
      if (intersectionRect.height) place(spot, intersectionRect);
    });
    watch.observe(holder);
  };
  network.on("click", ({ nodes, edges, pointer }) => {
    const item = scene.nodes.find((n) => n.id === nodes[0]) ?? (nodes.length ? null : scene.edges[edges[0]]);
    if (item?.title) tell(item.title, pointer.DOM);
    else close();
  });
  network.on("dragStart", close);
  addEventListener("blur", close); // a click elsewhere in the page
  addEventListener("keydown", ({ key }) => key === "Escape" && close());
  const zoom = (by, spot) => {
    close();
    const from = network.getViewPosition(), at = spot ? network.DOMtoCanvas(spot) : from; // this point stays in place
    const position = { x: at.x + (from.x - at.x) / by, y: at.y + (from.y - at.y) / by };
    network.moveTo({ position, scale: network.getScale() * by, animation: false });
  };
  holder.addEventListener("wheel", (wheel) => {
    if (!wheel.ctrlKey && !wheel.metaKey) return; // scrolls the page
    wheel.preventDefault();
    zoom(wheel.deltaY < 0 ? 1.1 : 1 / 1.1, { x: wheel.clientX, y: wheel.clientY });
  }, { passive: false });
  document.getElementById("in").addEventListener("click", () => zoom(1.25));
  document.getElementById("out").addEventListener("click", () => zoom(0.8));
  document.getElementById("whole").addEventListener("click", () => (close(), whole()));
  network.on("resize", whole);
  network.once("afterDrawing", () => {
    document.documentElement.classList.add("live"); // from here on the static picture below is covered
  });
  whole();
})();

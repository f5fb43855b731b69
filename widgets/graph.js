// The live graph in its sandboxed frame: unpacks vis-network, draws what the page's JSON says, over the same ground
// as the static picture. Every text goes to a canvas or into textContent; none is ever markup.
"use strict";
(async () => {
  const packed = Uint8Array.from(atob(document.getElementById("vis").textContent), (c) => c.charCodeAt(0));
  const stream = new Blob([packed]).stream().pipeThrough(new DecompressionStream("gzip"));
  const library = document.createElement("script");
  library.textContent = await new Response(stream).text();
  document.head.append(library);

  const scene = JSON.parse(document.getElementById("scene").textContent);
  const box = document.getElementById("graph");
  const network = new vis.Network(box, { nodes: scene.nodes, edges: scene.edges }, scene.options);
  const whole = () => {
    if (!box.clientWidth) return; // not laid out yet: a resize will come
    const scale = Math.min(box.clientWidth / scene.width, box.clientHeight / scene.height);
    network.moveTo({ position: { x: scene.width / 2, y: scene.height / 2 }, scale, animation: false });
  };

  const write = (c, t) => {
    c.font = `${t.bold ? "bold " : ""}${t.size}px ${scene.font}`;
    c.textAlign = t.anchor === "middle" ? "center" : t.anchor;
    c.textBaseline = "alphabetic";
    if (t.halo) {
      c.lineWidth = 4;
      c.lineJoin = "round";
      c.setLineDash([]);
      c.strokeStyle = scene.card;
      c.strokeText(t.text, t.x, t.y);
    }
    c.fillStyle = t.ink;
    c.fillText(t.text, t.x, t.y);
  };
  const rounded = (c, r, corner) => {
    c.beginPath();
    c.roundRect(r.x, r.y, r.width, r.height, corner);
  };
  network.on("beforeDrawing", (c) => {
    c.save();
    c.setLineDash([]);
    for (const ground of scene.grounds) {
      c.lineWidth = 1.5;
      c.strokeStyle = scene.faint;
      rounded(c, ground, 10);
      c.stroke();
    }
    for (const key of scene.keys) {
      c.lineWidth = 2;
      c.strokeStyle = c.fillStyle = key.colour;
      c.setLineDash(key.dash);
      c.beginPath();
      c.moveTo(key.x, key.y);
      c.lineTo(key.x + 29, key.y);
      c.stroke();
      c.beginPath();
      c.moveTo(key.x + 36, key.y);
      c.lineTo(key.x + 28, key.y - 3.6);
      c.lineTo(key.x + 28, key.y + 3.6);
      c.fill();
    }
    scene.texts.forEach((t) => write(c, t));
    c.restore();
  });
  network.on("afterDrawing", (c) => {
    c.save();
    scene.labels.forEach((t) => write(c, t));
    for (const badge of scene.badges) {
      c.fillStyle = badge.fill;
      rounded(c, badge, 10);
      c.fill();
      write(c, badge.text);
    }
    c.restore();
  });

  const told = document.getElementById("told");
  network.on("click", ({ nodes, edges }) => {
    const item = scene.nodes.find((n) => n.id === nodes[0]) ?? (nodes.length ? null : scene.edges.find((e) => e.id === edges[0]));
    told.textContent = item?.title ?? "";
    told.hidden = !told.textContent;
    network.setOptions({ interaction: { zoomView: true } });
  });
  const leave = () => network.setOptions({ interaction: { zoomView: false } }); // or scrolling the page would zoom
  addEventListener("blur", leave);
  document.addEventListener("mouseleave", leave);
  const zoom = (by) => network.moveTo({ scale: network.getScale() * by, animation: false });
  document.getElementById("in").addEventListener("click", () => zoom(1.25));
  document.getElementById("out").addEventListener("click", () => zoom(0.8));
  document.getElementById("whole").addEventListener("click", whole);
  network.on("resize", whole);
  network.once("afterDrawing", () => {
    document.documentElement.classList.add("live"); // from here on the static picture below is covered
  });
  whole();
})();

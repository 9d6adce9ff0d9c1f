// Where the gateway is mounted: `/`, or a path below it. The UI is always at `ui/` under it, and index.html says so in
// its <base>, the one thing that a server with a path of its own has to rewrite.
export const ROOT = new URL(document.baseURI).pathname.replace(/ui\/$/, '');

// Draws the Mandelbrot set as text and says a checksum of all iteration counts, so that two engines
// can be compared by one number. Arguments: columns (default 78), rows (default 30).

const ITERATIONS_MAX: i32 = 1000;
const SHADES: string = " .:-=+*#%@";

function iterations(re: f64, im: f64): i32 {
  let x: f64 = 0;
  let y: f64 = 0;
  for (let n: i32 = 0; n < ITERATIONS_MAX; n++) {
    const next = x * x - y * y + re;
    y = 2 * x * y + im;
    x = next;
    if (x * x + y * y > 4) return n;
  }
  return ITERATIONS_MAX;
}

function shade(count: i32): string {
  if (count === ITERATIONS_MAX) return " ";
  return SHADES.charAt(1 + (count % (SHADES.length - 1)));
}

function argument(position: i32, otherwise: i32): i32 {
  const args = process.argv;
  if (args.length <= position) return otherwise;
  const value = <i32>parseInt(args[position]);
  if (value < 1 || value > 10000) {
    process.stderr.write("usage: mandelbrot [COLUMNS] [ROWS], each from 1 to 10000\n");
    process.exit(2);
  }
  return value;
}

const columns = argument(1, 78);
const rows = argument(2, 30);
let checksum: u32 = 0;
for (let row = 0; row < rows; row++) {
  let line = "";
  for (let column = 0; column < columns; column++) {
    const count = iterations(-2.2 + (3.2 * column) / columns, -1.2 + (2.4 * row) / rows);
    checksum = checksum * 31 + count;
    line += shade(count);
  }
  process.stdout.write(line.trimEnd() + "\n");
}
process.stdout.write("checksum " + checksum.toString(16) + "\n");

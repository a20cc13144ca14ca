// A small landscape at the water, different every time, for people without a picture at hand.

const WIDTH = 1600;
const HEIGHT = 1000;
const HORIZON = 560;

/** Resolves to a JPEG file. */
export async function paint() {
  const canvas = Object.assign(document.createElement('canvas'), { width: WIDTH, height: HEIGHT });
  const ink = canvas.getContext('2d');
  const hue = 195 + Math.random() * 120;
  sky(ink, hue);
  for (let ridge = 0; ridge < 4; ridge++) hills(ink, hue, ridge);
  water(ink, hue);
  const blob = await new Promise((resolve) => canvas.toBlob(resolve, 'image/jpeg', 0.9));
  return new File([blob], 'painting.jpg', { type: 'image/jpeg' });
}

function sky(ink, hue) {
  const light = ink.createLinearGradient(0, 0, 0, HORIZON);
  light.addColorStop(0, `hsl(${hue} 45% 45%)`);
  light.addColorStop(1, `hsl(${hue + 50} 85% 82%)`);
  ink.fillStyle = light;
  ink.fillRect(0, 0, WIDTH, HORIZON);
  ink.fillStyle = `hsl(${hue + 60} 100% 93%)`;
  ink.beginPath();
  ink.arc(WIDTH * (0.2 + 0.6 * Math.random()), HORIZON - 170, 70, 0, 2 * Math.PI);
  ink.fill();
}

function hills(ink, hue, ridge) {
  const base = HORIZON - 130 + ridge * 40;
  const phase = Math.random() * 9;
  ink.fillStyle = `hsl(${hue + 20} ${30 + ridge * 4}% ${58 - ridge * 11}%)`;
  ink.beginPath();
  ink.moveTo(0, HORIZON);
  for (let x = 0; x <= WIDTH; x += 8) {
    ink.lineTo(x, base - 46 * Math.sin(x / 210 + phase) - 18 * Math.sin(x / 67 + 2 * phase));
  }
  ink.lineTo(WIDTH, HORIZON);
  ink.fill();
}

function water(ink, hue) {
  const depth = ink.createLinearGradient(0, HORIZON, 0, HEIGHT);
  depth.addColorStop(0, `hsl(${hue + 40} 45% 68%)`);
  depth.addColorStop(1, `hsl(${hue} 50% 24%)`);
  ink.fillStyle = depth;
  ink.fillRect(0, HORIZON, WIDTH, HEIGHT - HORIZON);
  ink.fillStyle = 'rgb(255 255 255 / 0.22)';
  for (let line = 0; line < 90; line++) {
    const y = HORIZON + (HEIGHT - HORIZON) * (line / 90) ** 1.6;
    ink.fillRect(Math.random() * WIDTH, y, 40 + Math.random() * 220, 1.5 + line / 25);
  }
}

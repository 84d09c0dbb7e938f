// Five bodies, symplectic integrator.
#include <math.h>
#include <stdio.h>
enum { BODIES = 5, STEPS = 25000000 };
struct body { double x, y, z, vx, vy, vz, mass; };
static struct body bodies[BODIES] = {
  {0, 0, 0, 0, 0, 0, 39.4784176},
  {4.84143144, -1.16032004, -0.103622044, 0.606326393, 2.81198684, -0.02521836, 0.0376936749},
  {8.34336671, 4.1247985, -0.4035234, -1.01077434, 1.82566237, 0.00841576, 0.0112863261},
  {12.8943695, -15.1111514, -0.22330757, 1.08279101, 0.86871301, -0.01083263, 0.00172372405},
  {15.3796971, -25.9193146, 0.179258773, 0.97909073, 0.59469899, -0.03475595, 0.00203368686},
};
static double energy(void) {
  double e = 0;
  for (int i = 0; i < BODIES; i++) {
    struct body *p = &bodies[i];
    e += 0.5 * p->mass * (p->vx * p->vx + p->vy * p->vy + p->vz * p->vz);
    for (int j = i + 1; j < BODIES; j++) {
      struct body *q = &bodies[j];
      double dx = p->x - q->x, dy = p->y - q->y, dz = p->z - q->z;
      e -= p->mass * q->mass / sqrt(dx * dx + dy * dy + dz * dz);
    }
  }
  return e;
}
int main(void) {
  for (int t = 0; t < STEPS; t++) {
    for (int i = 0; i < BODIES; i++)
      for (int j = i + 1; j < BODIES; j++) {
        struct body *p = &bodies[i], *q = &bodies[j];
        double dx = p->x - q->x, dy = p->y - q->y, dz = p->z - q->z, d2 = dx * dx + dy * dy + dz * dz;
        double m = 0.001 / (d2 * sqrt(d2));
        p->vx -= dx * q->mass * m; p->vy -= dy * q->mass * m; p->vz -= dz * q->mass * m;
        q->vx += dx * p->mass * m; q->vy += dy * p->mass * m; q->vz += dz * p->mass * m;
      }
    for (int i = 0; i < BODIES; i++) {
      struct body *p = &bodies[i];
      p->x += 0.001 * p->vx; p->y += 0.001 * p->vy; p->z += 0.001 * p->vz;
    }
  }
  printf("%.9f\n", energy());
  return 0;
}

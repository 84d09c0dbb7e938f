// LU factorisation without pivoting.
#include <stdio.h>
enum { N = 2000 };
static double a[N][N];
int main(void) {
  for (int i = 0; i < N; i++)
    for (int j = 0; j < N; j++) a[i][j] = i == j ? N + 1.0 : 1.0 / (1 + i + j);
  for (int k = 0; k < N; k++)
    for (int i = k + 1; i < N; i++) {
      double f = a[i][k] /= a[k][k];
      for (int j = k + 1; j < N; j++) a[i][j] -= f * a[k][j];
    }
  double sum = 0;
  for (int i = 0; i < N; i++) for (int j = 0; j < N; j++) sum += a[i][j];
  printf("%.6e\n", sum);
  return 0;
}

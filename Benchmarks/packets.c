/* Sends UDP packets of 18 bytes (64 on the wire) as fast as the kernel takes them.
   packets SOURCE ADDRESS PORT SECONDS   prints how many were sent */
#define _GNU_SOURCE
#include <arpa/inet.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <time.h>

enum { batch = 64 };

static double now(void) {
  struct timespec time;
  clock_gettime(CLOCK_MONOTONIC, &time);
  return time.tv_sec + time.tv_nsec / 1e9;
}

int main(int count, char **words) {
  if (count != 5) return 2;
  struct sockaddr_in from = {.sin_family = AF_INET}, to = {.sin_family = AF_INET, .sin_port = htons(atoi(words[3]))};
  if (inet_pton(AF_INET, words[1], &from.sin_addr) != 1 || inet_pton(AF_INET, words[2], &to.sin_addr) != 1) return 2;
  int socket_ = socket(AF_INET, SOCK_DGRAM, 0);
  if (bind(socket_, (struct sockaddr *)&from, sizeof from) || connect(socket_, (struct sockaddr *)&to, sizeof to)) {
    perror("packets");
    return 1;
  }
  char text[18] = {0};
  struct iovec bytes = {text, sizeof text};
  struct mmsghdr messages[batch];
  memset(messages, 0, sizeof messages);
  for (int i = 0; i < batch; i++) messages[i].msg_hdr = (struct msghdr){.msg_iov = &bytes, .msg_iovlen = 1};
  long sent = 0;
  for (double end = now() + atof(words[4]); now() < end;) {
    int got = sendmmsg(socket_, messages, batch, 0);
    if (got > 0) sent += got;
  }
  printf("%ld\n", sent);
}

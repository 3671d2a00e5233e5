#ifndef BAILIFF_CSYSTEMD_H
#define BAILIFF_CSYSTEMD_H
#include <systemd/sd-daemon.h>
#include <systemd/sd-id128.h>
#include <systemd/sd-journal.h>
#endif

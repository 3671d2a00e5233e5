#ifndef BAILIFF_CVECTORSCAN_H
#define BAILIFF_CVECTORSCAN_H
#include <hs/hs.h>
#endif

# queue.csv: seconds,waiting_mean,waiting_p10,waiting_p90,running_mean,running_p10,running_p90
set xlabel 'seconds from the first enqueue'
set ylabel 'jobs'
set yrange [0:*]
set key off
set label 1 'waiting' at WAIT_X, WAIT_Y left offset 0.5, 0.8 front textcolor rgb BLUE
set label 2 'running' at RUN_X, RUN_Y left offset 0.5, 0.8 front textcolor rgb RED
plot 'queue.csv' using 1:3:4 with filledcurves fs transparent solid 0.3 lc rgb BLUE, \
     '' using 1:2 with lines lw 2.5 lc rgb BLUE, \
     '' using 1:6:7 with filledcurves fs transparent solid 0.3 lc rgb ORANGE, \
     '' using 1:5 with lines lw 2.5 lc rgb ORANGE

# services.csv: bar,part,service,from,to,usd,colour,label; bar-titles.csv: bar,text
set xlabel 'USD per million jobs'
set yrange [-0.45:BARS - 0.28]
set tmargin 0.5
set xrange [0:*]
unset ytics
set border 1
unset grid
set key off
set lmargin 2
plot 'services.csv' using 4:1:4:5:($1 - 0.32):($1 + 0.16):7 with boxxy fs solid 1 border rgb '#ffffff' lc rgb variable, \
     '' using (($4 + $5) / 2):($1 - 0.08):8 with labels font SMALL textcolor rgb '#111111', \
     'services-titles.csv' using (0):($1 + 0.5):2 with labels left textcolor rgb INK, \
     '' using (0):($1 + 0.28):3 with labels left font SMALL textcolor rgb INK
